rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

@rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

vrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

\rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

,rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

wrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

brem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

,rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

brem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

;rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

\rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

wrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

'rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

,rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

vrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

\rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

-rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

zrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

brem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

brem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

_rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Wrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

_rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Wrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

~rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

0rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

6rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

5rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

0rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

0rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

1rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

>rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

2rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

>rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

8rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

1rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

vrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

vrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

\rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

\rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

vrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

vrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

\rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

\rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

_rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

_rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

-rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

3rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

1rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

1rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

-rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

3rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

1rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

2rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

-rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

3rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

1rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

0rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

-rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

3rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

1rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

3rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

3rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

vrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

wrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

-rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

*rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

&rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

/rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

brem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

/rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

brem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

*rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

-rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

;rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

(rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

(rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

(rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

3rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

,rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

1rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

0rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

)rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

<rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

vrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

_rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

[rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

2rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

]rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

<rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

(rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

3rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

,rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

1rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

4rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

)rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

zrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

>rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

2rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

*rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

*rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

3rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

2rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

)rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

)rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

>rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

2rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

>rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

vrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

0rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

/rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

brem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

*rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

/rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

brem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

qrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Krem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

\rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

\rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

/rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

vrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

mrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

2rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

>rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

|rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

/rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

zrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

-rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

>rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

&rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

&rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

zrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

wrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

~rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

1rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

/rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

~rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

1rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

-rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

-rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

~rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

2rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

wrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

:rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

\rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

-rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

=rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

crem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

\rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

-rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

yrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Lrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Grem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

%rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

.rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

"rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

frem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

drem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Hrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Rrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

_rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Nrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Orem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

_rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

Erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

prem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

arem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

urem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

srem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

erem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

xrem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

irem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

trem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

/rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

brem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

 rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

1rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%


rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m launcher %* & goto finish
:finish
exit /b %errorlevel%

