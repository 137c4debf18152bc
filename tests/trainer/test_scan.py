"""Folders drawn in code: what is found, what is skipped, and with which words."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from folders import config, pictures
from PIL import Image

from trainer.dataset.caption_files import find, folds_case
from trainer.dataset.folders import read_folder_name
from trainer.dataset.scan import scan

SQUARE = (64, 64)


def messages(dataset, severity="warning"):
    return [problem.message for problem in dataset.problems if problem.severity == severity]


def one(texts, *parts):
    """The single message that holds all of these parts."""
    found = [text for text in texts if all(part in text for part in parts)]
    assert len(found) == 1, texts
    return found[0]


def test_folders_named_with_repeats_become_examples_in_order(tmp_path):
    pictures(tmp_path / "3_b side", [SQUARE])
    pictures(tmp_path / "10_a", [SQUARE, (128, 64)])
    dataset = scan(config(tmp_path))
    assert [(example.path.parent.name, example.repeats, example.caption) for example in dataset.examples] == [
        ("10_a", 10, "1girl, solo"), ("10_a", 10, "1girl, solo"), ("3_b side", 3, "1girl, solo"),
    ]  # fmt: skip
    assert [example.index for example in dataset.examples] == [0, 1, 2]
    assert dataset.problems == ()


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("10_anby demo", (10, "anby demo")), ("10_", (10, "")), ("2_a_b", (2, "a_b")), ("10", (10, "")),
        ("+5_x", (5, "x")), ("01_x", (1, "x")), (" 10_x", (10, "x")), ("10 _x", (10, "x")),
        ("-1_x", None), ("0_x", None), ("x_10", None), ("1.5_x", None), ("9" * 5000, None),
    ],
)  # fmt: skip
def test_repeats_are_read_from_a_folders_name_as_sd_scripts_does(name, meaning):
    assert read_folder_name(name) == meaning


@pytest.mark.parametrize("name", ["-1_cat", "1.5_cat", "0_cat", "2,5 cat", "10 cat", "_cat", "cat"])
def test_a_folder_without_repeats_is_named_with_the_name_it_needs(tmp_path, name):
    pictures(tmp_path / "10_a", [SQUARE])
    pictures(tmp_path / name, [SQUARE])
    found = messages(scan(config(tmp_path)))
    assert found == [f"the folder {name} is not used: its name must begin with the repeats, such as 10_cat"]


def test_a_listed_folder_is_in_use_wherever_it_lies(tmp_path):
    """Nothing says that it is not used, and naming it once more as the training folder adds nothing."""
    places = [tmp_path / "cat", tmp_path / "10_a" / "below"]
    pictures(tmp_path / "10_a", [SQUARE])
    for place in places:
        pictures(place, [SQUARE])
    listed = [{"image_dir": str(place), "num_repeats": 2} for place in places]
    dataset = scan(config(tmp_path, subsets=listed))
    assert messages(dataset) == []
    assert [example.repeats for example in dataset.examples] == [10, 2, 2]
    again = scan(config(places[0], subsets=listed))
    assert [example.repeats for example in again.examples] == [2, 2]
    assert messages(again, "error") == []
    assert "leave train_data_dir empty" in one(messages(again), "used once")


def test_an_empty_other_folder_is_no_problem(tmp_path):
    pictures(tmp_path / "10_a", [SQUARE])
    (tmp_path / "notes").mkdir()
    assert messages(scan(config(tmp_path))) == []


def test_pictures_directly_in_the_training_folder_are_an_error_with_the_cure(tmp_path):
    pictures(tmp_path / "anby", [SQUARE])
    found = messages(scan(config(tmp_path / "anby")), "error")
    one(found, "holds pictures but no folder with repeats in its name; move them into a folder such as", "10_anby")


def test_choosing_the_picture_folder_itself_names_the_folder_above(tmp_path):
    pictures(tmp_path / "10_anby", [SQUARE])
    found = messages(scan(config(tmp_path / "10_anby")), "error")
    one(found, "is a picture folder itself; set train_data_dir to the folder above it", str(tmp_path))


def test_a_missing_folder_and_a_file_as_folder_are_errors(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert messages(scan(config(tmp_path / "none")), "error") == [f"{tmp_path / 'none'} does not exist; check the path"]
    assert messages(scan(config(tmp_path / "file")), "error") == [
        f"{tmp_path / 'file'} is a file, not a folder; name the folder"
    ]


def test_without_a_caption_the_folders_name_is_the_caption_and_that_is_said(tmp_path):
    pictures(tmp_path / "10_anby demo", [SQUARE, SQUARE, SQUARE])
    (tmp_path / "10_anby demo" / "p001.txt").unlink()
    dataset = scan(config(tmp_path))
    assert dataset.examples[1].caption == "anby demo"
    assert dataset.folders[0].missing_captions == 1
    one(
        messages(dataset),
        "1 of 3 pictures in 10_anby demo has no .txt file (p001.png), "
        'so the folder\'s name "anby demo" is their caption',
    )


@pytest.mark.parametrize("asked", [".txt", "txt", ".TXT", "Txt"])
@pytest.mark.parametrize("named", ["p000.txt", "p000.TXT", "p000.Txt"])
def test_a_caption_is_found_whatever_the_case_of_its_extension_and_the_dot(tmp_path, asked, named):
    (picture,) = pictures(tmp_path / "1_a", [SQUARE], caption=None)
    picture.rename(picture.with_suffix(".PNG"))
    (tmp_path / "1_a" / named).write_text("anby", encoding="utf-8")
    dataset = scan(config(tmp_path, caption_extension=asked))
    assert [example.caption for example in dataset.examples] == ["anby"]
    assert dataset.problems == ()


def test_of_two_captions_the_one_written_as_asked_is_read_and_the_other_named(tmp_path):
    pictures(tmp_path / "1_a", [SQUARE], caption="right")
    if (tmp_path / "1_a" / "p000.TXT").exists():
        pytest.skip("here both names are one file")
    for name in ("p000.TXT", "p000.Txt", "notes.txt"):
        (tmp_path / "1_a" / name).write_text("wrong", encoding="utf-8")
    dataset = scan(config(tmp_path))
    assert [example.caption for example in dataset.examples] == ["right"]
    one(messages(dataset), "3 .txt files in 1_a are the caption of no picture (notes.txt, p000.TXT, p000.Txt)")


def test_on_a_disk_that_folds_case_names_are_matched_without_it():
    files = find(Path(), ["Anby.TXT", "z.txt"], ".txt", folds=True)
    assert (files.of("anby"), files.of("Z"), files.unused(["ANBY"])) == ("Anby.TXT", "z.txt", ["z.txt"])
    files = find(Path(), ["Anby.TXT", "z.txt"], ".txt", folds=False)
    assert (files.of("anby"), files.of("Anby"), files.unused(["Anby", "Z"])) == (None, "Anby.TXT", ["z.txt"])


def test_the_disk_itself_says_whether_it_folds_case(tmp_path):
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    assert folds_case(tmp_path, ["a.txt"]) == (tmp_path / "A.TXT").exists()
    (tmp_path / "A.TXT").write_text("x", encoding="utf-8")
    assert not folds_case(tmp_path, ["a.txt", "A.TXT", "图"])


def test_captions_of_a_cut_out_face_and_of_an_unread_picture_are_no_orphans(tmp_path):
    (picture,) = pictures(tmp_path / "1_a", [SQUARE], caption=None)
    picture.rename(tmp_path / "1_a" / "anby_32_32_20_20.png")
    for name in ("anby.txt", "moving.txt", "moving.gif"):
        (tmp_path / "1_a" / name).write_text("anby", encoding="utf-8")
    cut = {"face_crop_aug_range": "1.0,1.5", "enable_bucket": False, "resolution": "64"}
    dataset = scan(config(tmp_path, **cut))
    assert [example.caption for example in dataset.examples] == ["anby"]
    one(messages(dataset), "1 file in 1_a is of a kind that is not read (moving.gif)")
    assert len(messages(dataset)) == 1
    (tmp_path / "1_a" / "anby_32_32_20_20.txt").write_text("her face", encoding="utf-8")
    assert [example.caption for example in scan(config(tmp_path, **cut)).examples] == ["her face"]


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_the_caption_of_a_picture_that_is_a_broken_link_is_no_orphan(tmp_path):
    pictures(tmp_path / "1_a", [SQUARE])
    (tmp_path / "1_a" / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "1_a" / "gone.txt").write_text("anby", encoding="utf-8")
    one(messages(scan(config(tmp_path))), "1 picture in 1_a is a link that leads nowhere (gone.png)")
    assert len(messages(scan(config(tmp_path)))) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_captions_of_several_lines_are_counted_with_two_cures(tmp_path, end):
    made = pictures(tmp_path / "1_a", [SQUARE] * 4)
    for picture, text in zip(made, ("a", f"a{end}b", f"a{end} {end}b{end}", f"a{end}{end} "), strict=True):
        picture.with_suffix(".txt").write_bytes(text.encode())
    dataset = scan(config(tmp_path))
    assert [example.caption for example in dataset.examples] == ["a"] * 4
    found = one(messages(dataset), "2 captions in 1_a have several lines (p001.png, p002.png)", "reads the first alone")
    assert "join the lines, or switch on enable_wildcard" in found and len(dataset.problems) == 1
    assert scan(config(tmp_path, enable_wildcard=True)).problems == ()


def test_a_caption_that_begins_with_an_empty_line_is_not_said_to_train_on_its_first(tmp_path):
    pictures(tmp_path / "1_a", [SQUARE], "\na\nb")
    one(messages(scan(config(tmp_path))), "1 caption in 1_a is empty or begins with an empty line (p000.png)")
    assert len(scan(config(tmp_path)).problems) == 1


@pytest.mark.parametrize(("caption", "wildcards", "told"), [
    ("x" * 60_000, False, True), ("a\n" + "x, " * 9_000, True, True), ("x" * 4_000, False, False),
    ("a\n" + "x, " * 9_000, False, False),
])  # fmt: skip
def test_captions_of_which_training_reads_only_the_beginning_are_counted(tmp_path, caption, wildcards, told):
    pictures(tmp_path / "1_a", [SQUARE] * 2, caption)
    found = messages(scan(config(tmp_path, enable_wildcard=wildcards, max_token_length=150)))
    said = "2 captions in 1_a have more than 4000 letters (p000.png, p001.png); the first 150 tokens are read"
    assert [text.startswith(said) for text in found if "letters" in text] == [True] * told


def test_a_wrong_caption_extension_is_told_loudly(tmp_path):
    pictures(tmp_path / "10_anby", [SQUARE, SQUARE])
    found = messages(scan(config(tmp_path, caption_extension=".caption")))
    one(found, "NO .caption file in 10_anby, but 2 .txt files: set caption_extension to .txt")


def test_captions_are_found_by_the_exact_stem_only(tmp_path):
    folder = tmp_path / "1_x"
    folder.mkdir()
    Image.new("RGB", SQUARE).save(folder / "pic_1_2_3_4.png")
    (folder / "pic.txt").write_text("wrong", encoding="utf-8")
    assert scan(config(tmp_path)).examples[0].caption == "x"  # sd-scripts takes pic.txt


def test_a_dot_in_a_picture_name_is_part_of_its_stem(tmp_path):
    folder = tmp_path / "1_x"
    folder.mkdir()
    Image.new("RGB", SQUARE).save(folder / "a.b.png")
    (folder / "a.b.txt").write_text("right", encoding="utf-8")
    assert scan(config(tmp_path)).examples[0].caption == "right"


def test_extensions_in_any_case_are_read(tmp_path):
    folder = tmp_path / "1_x"
    folder.mkdir()
    Image.new("RGB", SQUARE).save(folder / "a.Png")
    (folder / "a.TXT").write_text("tag", encoding="utf-8")
    assert [example.caption for example in scan(config(tmp_path)).examples] == ["tag"]


def test_pictures_with_one_stem_share_a_caption_and_are_named(tmp_path):
    pictures(tmp_path / "1_x", [SQUARE])
    Image.new("RGB", SQUARE).save(tmp_path / "1_x" / "p000.jpg")
    dataset = scan(config(tmp_path))
    assert len(dataset.examples) == 2
    one(messages(dataset), "p000.jpg and p000.png share one caption file")


def test_a_bad_picture_is_skipped_with_its_path(tmp_path):
    good, bad = pictures(tmp_path / "1_x", [SQUARE, SQUARE])
    bad.write_bytes(b"not a picture")
    dataset = scan(config(tmp_path))
    assert [example.path for example in dataset.examples] == [good]
    assert dataset.folders[0].images == 1
    one(messages(dataset), str(bad), "damaged or no picture", "This picture is not used")


def test_a_caption_that_is_not_utf8_is_an_error_that_names_it(tmp_path):
    pictures(tmp_path / "1_x", [SQUARE, SQUARE])
    (tmp_path / "1_x" / "p001.txt").write_bytes("金发少女".encode("gbk"))
    dataset = scan(config(tmp_path))
    assert len(dataset.examples) == 1
    one(messages(dataset, "error"), "p001.txt: byte 0 (line 1) is not UTF-8 but looks like GBK", "save the file again")


def test_empty_captions_are_counted(tmp_path):
    pictures(tmp_path / "1_x", [SQUARE, SQUARE, SQUARE])
    (tmp_path / "1_x" / "p001.txt").write_text("", encoding="utf-8")
    (tmp_path / "1_x" / "p002.txt").write_text("\nsecond line", encoding="utf-8")
    one(
        messages(scan(config(tmp_path))), "2 captions in 1_x are empty or begin with an empty line (p001.png, p002.png)"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_hidden_files_pipes_and_notebooks_are_passed_over(tmp_path):
    folder = tmp_path / "1_x"
    pictures(folder, [SQUARE])
    (folder / "._p000.png").write_bytes(b"macOS")
    pictures(folder / ".ipynb_checkpoints", [SQUARE])
    pictures(tmp_path / "__MACOSX", [SQUARE])
    os.mkfifo(folder / "pipe.png")
    dataset = scan(config(tmp_path))
    assert len(dataset.examples) == 1
    assert one(messages(dataset), "pipe.png")
    assert len(dataset.problems) == 1


def test_pictures_in_deeper_folders_and_of_other_kinds_are_named(tmp_path):
    pictures(tmp_path / "1_x", [SQUARE])
    pictures(tmp_path / "1_x" / "sub", [SQUARE])
    Image.new("RGB", SQUARE).save(tmp_path / "1_x" / "b.gif")
    found = messages(scan(config(tmp_path)))
    one(found, "sub is not read: pictures must lie directly in 1_x; move them up")
    one(found, "1 file in 1_x is of a kind that is not read (b.gif); save it as PNG, JPEG or WebP")


def test_a_rotated_photo_goes_into_the_bucket_of_its_shown_shape(tmp_path):
    folder = tmp_path / "1_x"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (150, 100)).save(folder / "a.jpg", exif=exif)
    example = scan(config(tmp_path)).examples[0]
    assert example.size == (100, 150)
    assert example.bucket == (384, 640)
    example = scan(config(tmp_path, ignore_exif_orientation=True)).examples[0]
    assert (example.size, example.bucket) == ((150, 100), (640, 384))


def test_a_picture_that_fits_no_bucket_is_skipped(tmp_path):
    pictures(tmp_path / "1_x", [SQUARE, (32, 200)])
    dataset = scan(config(tmp_path, bucket_no_upscale=True))
    assert len(dataset.examples) == 1
    one(messages(dataset), "p001.png", "smaller than one step", "This picture is not used")


@pytest.mark.parametrize(
    ("train", "reg", "expected"),
    [((5, 3), (2, 1), [8, 7]), ((16, 1), (3, 1), [6, 5, 5]), ((3, 1), (2, 4), [4]), ((10, 1), (2, 4), [5, 5])],
)  # KOHYA_COMPAT section 2.3; each pair is (pictures, repeats)
def test_regularisation_pictures_are_repeated_up_to_the_training_pictures(tmp_path, train, reg, expected):
    pictures(tmp_path / "train" / f"{train[1]}_x", [SQUARE] * train[0])
    pictures(tmp_path / "reg" / f"{reg[1]}_y", [SQUARE] * reg[0])
    dataset = scan(config(tmp_path / "train", reg_data_dir=str(tmp_path / "reg"), prior_loss_weight=0.5))
    balanced = [example for example in dataset.examples if example.is_reg]
    assert [example.repeats for example in balanced] == expected
    assert {example.weight for example in balanced} == {0.5}
    assert {example.weight for example in dataset.examples if not example.is_reg} == {1.0}
    assert dataset.num_train_repeats == train[0] * train[1]
    assert dataset.num_reg_repeats == reg[0] * reg[1]


def test_surplus_regularisation_pictures_are_told(tmp_path):
    pictures(tmp_path / "train" / "1_x", [SQUARE] * 2)
    pictures(tmp_path / "reg" / "1_y", [SQUARE] * 5)
    dataset = scan(config(tmp_path / "train", reg_data_dir=str(tmp_path / "reg")))
    one(messages(dataset), "3 regularisation pictures are not used")
    assert dataset.num_reg_images == 5


def test_listed_folders_have_their_own_options(tmp_path):
    pictures(tmp_path / "any name", [SQUARE], caption=None)
    (tmp_path / "any name" / "p000.tags").write_text("a\nb", encoding="utf-8")
    pictures(tmp_path / "other", [SQUARE], caption=None)
    subsets = [
        {"image_dir": str(tmp_path / "any name"), "num_repeats": 4, "caption_extension": "tags"},
        {"image_dir": str(tmp_path / "other"), "class_tokens": "thing"},
    ]
    dataset = scan(config(None, subsets=subsets, dataset_repeats=7))
    assert [(example.caption, example.repeats) for example in dataset.examples] == [("a", 4), ("thing", 7)]


def test_a_folder_named_twice_is_used_once(tmp_path):
    pictures(tmp_path / "10_x", [SQUARE])
    dataset = scan(config(tmp_path, subsets=[{"image_dir": str(tmp_path / "10_x")}]))
    assert len(dataset.examples) == 1
    one(messages(dataset), "is listed twice; the second time is not used")


def test_with_wildcards_all_lines_are_kept(tmp_path):
    pictures(tmp_path / "1_x", [SQUARE], caption="one\n\n two \n")
    assert scan(config(tmp_path, enable_wildcard=True)).examples[0].caption == "one\ntwo"
    assert scan(config(tmp_path)).examples[0].caption == "one"


def test_validation_pictures_are_drawn_by_seed_and_leave_training(tmp_path):
    pictures(tmp_path / "2_x", [SQUARE] * 10)
    first = scan(config(tmp_path, validation_split=0.2, seed=1))
    again = scan(config(tmp_path, validation_split=0.2, seed=1))
    other = scan(config(tmp_path, validation_split=0.2, validation_seed=5, seed=1))
    assert len(first.validation) == 2
    assert len(first.examples) == 8
    assert {example.path for example in first.examples} & {example.path for example in first.validation} == set()
    assert first.validation == again.validation
    assert [example.repeats for example in first.validation] == [1, 1]
    assert {e.path for e in first.validation} != {e.path for e in other.validation}
    assert [example.index for example in first.examples] == list(range(8))


def test_a_validation_split_of_too_few_pictures_is_told(tmp_path):
    pictures(tmp_path / "2_x", [SQUARE] * 3)
    one(messages(scan(config(tmp_path, validation_split=0.1))), "nothing is validated; raise it")


def test_a_validation_split_of_all_pictures_leaves_none_to_train_on(tmp_path):
    pictures(tmp_path / "2_x", [SQUARE] * 3)
    dataset = scan(config(tmp_path, validation_split=1))
    assert (len(dataset.examples), len(dataset.validation)) == (0, 3)
    one(messages(dataset, "error"), "validation_split 1.0 keeps every picture", "leaves none to train on")


def test_a_changed_picture_is_looked_at_again(tmp_path):
    (path,) = pictures(tmp_path / "2_x", [SQUARE])
    assert scan(config(tmp_path)).examples[0].size == SQUARE
    Image.new("RGB", (128, 64)).save(path)
    os.utime(path, ns=(1, time.time_ns() + 10**9))
    assert scan(config(tmp_path)).examples[0].size == (128, 64)


def test_two_thousand_pictures_are_found_without_decoding_them(tmp_path):
    folder = tmp_path / "1_x"
    first = pictures(folder, [(512, 768)])[0].read_bytes()
    for number in range(1, 2000):
        (folder / f"p{number:04}.png").write_bytes(first)
    dataset = scan(config(tmp_path))
    assert len(dataset.examples) == 2000
    assert dataset.folders[0].missing_captions == 1999


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_an_error(tmp_path):
    pictures(tmp_path / "1_x", [SQUARE])
    (tmp_path / "1_x").chmod(0)
    try:
        one(messages(scan(config(tmp_path)), "error"), "cannot be opened", "check the folder's rights")
    finally:
        (tmp_path / "1_x").chmod(0o755)


def test_absurd_repeats_are_an_error_before_anything_grows(tmp_path):
    pictures(tmp_path / "999999999_x", [SQUARE])
    found = messages(scan(config(tmp_path)), "error")
    assert found == ["the folder 999999999_x asks for 999999999 repeats; rename it with at most 10000"]


@pytest.mark.parametrize("path", ["x" * 5000, "x/" * 2500, "~nobody_here/x", "a\0b", "\ud800"], ids=range(5))
def test_impossible_paths_are_named_and_nothing_breaks(path):
    usual = config(None, train_data_dir="train")  # the parser refuses such a path; the scan stands by itself
    made = usual.model_copy(update={"dataset": usual.dataset.model_copy(update={"train_data_dir": path})})
    assert len(messages(scan(made), "error")) == 1


@pytest.fixture
def linked(tmp_path):
    """A data set `set/1_x` with one picture, and a folder `elsewhere` with another, both with captions."""
    pictures(tmp_path / "set" / "1_x", [SQUARE], "here")
    pictures(tmp_path / "elsewhere", [(128, 64)], "secret")
    return tmp_path


def test_links_that_lead_outside_or_nowhere_are_named_and_not_read(linked):
    folder = linked / "set" / "1_x"
    for name, target in {"away.png": "../../elsewhere/p000.png", "round.png": "round.png", "gone.png": "x"}.items():
        (folder / name).symlink_to(target)
    (folder / "same.png").symlink_to("p000.png")
    (folder / "same.txt").symlink_to("p000.txt")
    dataset = scan(config(linked / "set"))
    assert [(example.path.name, example.caption) for example in dataset.examples] == [
        ("p000.png", "here"), ("same.png", "here")
    ]  # fmt: skip
    assert one(messages(dataset), "1 picture in 1_x is a link that leads outside the data set (away.png)", "put a copy")
    assert one(messages(dataset), "2 pictures in 1_x are links that lead nowhere (gone.png, round.png)")
    assert one(messages(dataset), "1 picture in 1_x is a copy of another there (same.png)")
    assert len(dataset.problems) == 3


@pytest.mark.parametrize(
    ("target", "words"), [("../../elsewhere/p000.txt", "leads outside the data set"), ("q.txt", "leads nowhere")]
)
def test_a_caption_that_is_a_link_out_of_the_data_set_is_an_error_and_never_read(linked, target, words):
    caption = linked / "set" / "1_x" / "p000.txt"
    caption.unlink()
    caption.symlink_to(target)
    dataset = scan(config(linked / "set"))
    assert one(messages(dataset, "error"), "p000.txt is a link that", words)
    assert dataset.examples == ()


def test_a_linked_folder_is_read_inside_the_data_set_only(linked):
    (linked / "set" / "2_away").symlink_to(linked / "elsewhere")
    (linked / "set" / "3_round").symlink_to("3_round")
    found = messages(scan(config(linked / "set")), "error")
    assert one(found, "2_away is a link that leads out of", "not followed; copy the folder")
    assert one(found, "3_round is a link that leads nowhere")
    assert len(found) == 2
    pictures(linked / "set" / "more", [SQUARE], "more")
    for name in ("2_away", "3_round"):
        (linked / "set" / name).unlink()
    (linked / "set" / "4_more").symlink_to("more")
    assert [example.caption for example in scan(config(linked / "set")).examples] == ["here", "more"]


def test_the_chosen_folder_may_itself_be_a_link(linked):
    (linked / "chosen").symlink_to("set")
    assert [example.caption for example in scan(config(linked / "chosen")).examples] == ["here"]


def test_masks_and_lists_follow_no_link_out_of_their_folder(linked):
    folder, masks = linked / "set" / "1_x", linked / "masks"
    masks.mkdir()
    (masks / "p000.png").symlink_to(folder / "p000.png")
    subset = {"image_dir": str(folder), "conditioning_data_dir": str(masks)}
    found = scan(config(None, subsets=[subset], masked_loss=True))
    assert one(messages(found), "1 picture in masks is a link that leads outside the data set (p000.png)")
    assert one(messages(found, "error"), "1 picture has no mask in")
    (folder / "metadata_cache.json").symlink_to(linked / "elsewhere" / "p000.txt")
    found = scan(config(linked / "set", cache_info=True))
    assert one(messages(found, "error"), "metadata_cache.json is a link that leads outside the data set")
    (folder / "away.png").symlink_to(linked / "elsewhere" / "p000.png")
    (linked / "list.json").write_text('{"away": {"caption": "x"}, "p000": {"caption": "y"}}', encoding="utf-8")
    found = scan(config(folder, in_json=str(linked / "list.json")))
    assert [example.caption for example in found.examples] == ["y"]
    assert one(messages(found), "1 picture in list.json is a link that leads outside the data set (away.png)")


@pytest.mark.parametrize(
    ("name", "repeats", "words"),
    [
        ("１０_x", 10, 'the folder "１０_x" is read as 10 repeats; if that is meant, rename it to 10_x'),
        ("+5_x", 5, 'the folder "+5_x" is read as 5 repeats; if that is meant, rename it to 5_x'),
        (" 10_x", 10, 'the folder " 10_x" is read as 10 repeats; if that is meant, rename it to 10_x'),
        ("10 _x", 10, 'the folder "10 _x" is read as 10 repeats; if that is meant, rename it to 10_x'),
        ("1_000_x", 1, "the folder 1_000_x is read as 1 repeat of 000_x: the number ends at the first _"),
        ("010_x", 10, None),
        ("10_2024_x", 10, None),
    ],
)
def test_a_number_of_repeats_that_is_read_otherwise_than_it_looks_is_told(tmp_path, name, repeats, words):
    pictures(tmp_path / name, [SQUARE])
    dataset = scan(config(tmp_path))
    assert [example.repeats for example in dataset.examples] == [repeats]
    assert [message.partition("; write")[0] for message in messages(dataset)] == ([] if words is None else [words])


def test_a_superscript_is_no_number(tmp_path):
    pictures(tmp_path / "1_a", [SQUARE])
    pictures(tmp_path / "²_x", [SQUARE])
    assert one(messages(scan(config(tmp_path))), "the folder ²_x is not used")


def test_pictures_beside_the_named_folders_are_told_with_their_number(tmp_path):
    pictures(tmp_path / "10_a", [SQUARE])
    pictures(tmp_path, [SQUARE] * 2)
    found = scan(config(tmp_path))
    assert len(found.examples) == 1
    assert one(messages(found), "2 pictures lie in", "(p000.png, p001.png) and are not used", "such as 10_a")
    assert len(found.problems) == 1


def test_names_of_devices_are_told_on_every_system(tmp_path):
    pictures(tmp_path / "10_a", [SQUARE])
    (tmp_path / "aux").mkdir()
    (tmp_path / "10_a" / "p000.png").rename(tmp_path / "10_a" / "CON.png")
    (tmp_path / "10_a" / "p000.txt").rename(tmp_path / "10_a" / "CON.txt")
    found = messages(scan(config(tmp_path)))
    assert one(found, "1 name in", "is the name of a device on Windows (aux)", "rename it")
    assert one(found, "2 names in", "(CON.png, CON.txt)")


def test_animations_and_copies_are_told_once_with_their_number(tmp_path):
    first, *_ = pictures(tmp_path / "1_a", [SQUARE] * 3)
    frames = [Image.new("RGB", SQUARE, colour) for colour in ("red", "blue")]
    for name in ("m.png", "n.webp"):
        frames[0].save(tmp_path / "1_a" / name, save_all=True, append_images=frames[1:])
        (tmp_path / "1_a" / name).with_suffix(".txt").write_text("x", encoding="utf-8")
    for name in ("y", "z"):
        (tmp_path / "1_a" / f"{name}.png").write_bytes(first.read_bytes())
        (tmp_path / "1_a" / f"{name}.txt").write_text("x", encoding="utf-8")
    found = scan(config(tmp_path))
    assert one(messages(found), "2 pictures in 1_a are animations (m.png, n.webp), of which the first picture is used")
    assert one(messages(found), "2 pictures in 1_a are copies of others there (y.png, z.png) and weigh double")
    assert (len(found.examples), len(found.problems)) == (7, 2)
