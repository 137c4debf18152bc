"""In which encoding the bytes of a text file are: Unicode is seen, older ones can only be guessed. LIGHT."""

from __future__ import annotations

import codecs
import re

# codec -> how people know it
ENCODINGS = {
    "gb18030": "GBK (Chinese Windows)", "cp950": "Big5 (Windows in Taiwan and Hong Kong)",
    "cp932": "Shift-JIS (Japanese Windows)", "cp949": "EUC-KR (Korean Windows)", "cp1251": "Windows-1251 (Russian)",
    "cp1252": "Windows-1252 (Western European)",
}  # fmt: skip
SAMPLE_BYTES = 20_000
CLOSE = 0.25  # scores that are nearer to the best than this do not decide
# the commonest characters, and what captions and settings are about
FREQUENT = {
    "gb18030": "的一是不了在人有我他这中大来上个们到说时要就出会可也你对生能而子那得于着下自之年发作里用道行所然家种"
    "事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日者意无力与长把"
    "机民第公此已工使情明性知全三又关点正业外将两高间由问很最重女孩少色眼头短白黑红蓝金银裙衣服站坐笑画角"
    "训练模型习率输图片雨手脸背景",
    "cp950": "的一是不了在人有我他這中大來上個們到說時要就出會可也你對生能而子那得於著下自之年發作裡用道行所然家種"
    "事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因只從想實日者意無力與長把"
    "機民第公此已工使情明性知全三又關點正業外將兩高間由問很最重女孩少髮色眼頭短白黑紅藍金銀裙衣服站坐笑畫"
    "角訓練模型習率輸圖片雨手臉背景",
    "cp949": "이다는에의가을고로하한지기사인리은도서대를시자어아라나정해그일있수것들부전스제보주상적여성게오만장원"
    "으할드년조트비동구면관신니과공국세위안말러선소녀머색검흰빨파란눈옷학습모델림긴짧",
    "cp1251": "оеаинтсрвлкм",
}  # fmt: skip
MARKS = frozenset("“”„‘’«»–—…№°\u00a0")  # in Windows-1251 and 1252 alike, so no hint at either
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_CYRILLIC_WORD_LETTER = re.compile(r"(?<![A-Za-z])[А-яЁё](?![A-Za-z])")
_ACCENTED_WORD_LETTER = re.compile(r"(?:(?<=[A-Za-z])[À-ÖØ-öø-ÿ]|[À-ÖØ-öø-ÿ](?=[A-Za-z]))")


def unicode_codec(data: bytes) -> str | None:
    """The codec of UTF-16 or UTF-32 with a mark, or without one where the zeros of its beginning show it."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # the first begins as UTF-16 does
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = data[:200]
    if len(start) < 4 or len(data) % 2:
        return None
    if len(start) >= 8 and len(data) % 4 == 0:
        zero = [not any(start[place::4]) for place in range(4)]
        if zero in ([False, True, True, True], [False, False, True, True]):
            return "utf-32-le"
        if zero in ([True, True, True, False], [True, True, False, False]):
            return "utf-32-be"
    even, odd = start[::2].count(0), start[1::2].count(0)
    half = len(start) // 4
    return "utf-16-le" if odd > half and not even else "utf-16-be" if even > half and not odd else None


def guesses(data: bytes) -> list[str]:
    """Which of ENCODINGS bytes that are no UTF-8 may be in, the likeliest first: several where the text is too short to
    tell, none where it looks like no text of them."""
    first = _BEYOND_ASCII.search(data)
    if first is None:
        return []
    start = max(0, first.start() - 1)
    sample = data[start : start + SAMPLE_BYTES]
    if sample.translate(None, b"\t\n\r") != sample.translate(None, bytes(range(32))):
        return []  # control characters: no text at all
    scores = {codec: _score(sample, codec) for codec in ENCODINGS}
    best = max(scores.values())
    close = [codec for codec, score in scores.items() if score and score > best - CLOSE]
    return sorted(close, key=lambda codec: -scores[codec])


def words_for(likely: list[str]) -> str:
    """The encodings that `guesses` finds as people know them: "A", "A or B"."""
    return " or ".join(ENCODINGS[codec] for codec in likely)


def _score(sample: bytes, codec: str) -> float:
    """0 where the text is none of this encoding; else the part of its letters beyond ASCII that are common in its
    language, above 0.5, and added the part that are frequent: up to 2."""
    try:
        text = codecs.getincrementaldecoder(codec)().decode(sample)  # the sample may end within a letter
    except UnicodeDecodeError:
        return 0.0
    if codec in ("cp1251", "cp1252"):
        letters = [letter for letter in text if letter > "\x7f" and letter not in MARKS]
        words = _CYRILLIC_WORD_LETTER if codec == "cp1251" else _ACCENTED_WORD_LETTER
        found = words.findall(text)
        frequent = sum(letter in FREQUENT.get(codec, "") for letter in found)
    else:
        letters = [letter for letter in text if letter > "\x7f"]
        test = {"gb18030": _is_simplified, "cp950": _is_traditional, "cp932": _is_japanese, "cp949": _is_hangul}[codec]
        found = list(filter(test, letters))
        known = FREQUENT.get(codec)
        frequent = sum(letter in known if known else "\u3040" <= letter <= "\u30ff" for letter in found)
    share = len(found) / len(letters) if letters else 0.0
    # in two of them other text passes easily: Korean has no Chinese characters, traditional Chinese few rare ones
    least = {"cp949": 0.9, "cp950": 0.8}.get(codec, 0.5)
    return share + frequent / len(letters) if share > least else 0.0


def _is_simplified(letter: str) -> bool:
    """One of the 3755 characters of GB 2312's first level, or Chinese punctuation."""
    lead, trail = _two_bytes(letter, "gb2312")
    return (0xB0 <= lead <= 0xD7 or lead in (0xA1, 0xA3)) and trail >= 0xA1


def _is_traditional(letter: str) -> bool:
    """One of the 5401 characters of Big5's first level, or its punctuation."""
    return 0xA1 <= _two_bytes(letter, "big5")[0] <= 0xC6


def _is_japanese(letter: str) -> bool:
    """Kana of full width, Japanese punctuation, or a character of JIS X 0208's first level."""
    return "\u3000" <= letter <= "\u30ff" or 0x88 <= _two_bytes(letter, "shift_jis")[0] <= 0x98


def _is_hangul(letter: str) -> bool:
    """One of the 2350 syllables of KS X 1001, or its punctuation."""
    return 0xB0 <= _two_bytes(letter, "euc_kr")[0] <= 0xC8 or "\u3000" <= letter <= "\u300f"


def _two_bytes(letter: str, codec: str) -> tuple[int, int]:
    """The bytes of a letter that has two; (0, 0) for others."""
    try:
        encoded = letter.encode(codec)
    except UnicodeEncodeError:
        return 0, 0
    return (encoded[0], encoded[1]) if len(encoded) == 2 else (0, 0)
