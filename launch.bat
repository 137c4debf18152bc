@echo off
rem Finds a Python and hands over to webui\launcher\, which sets up and starts. "launch.bat help" lists the commands.
rem launch.sh does the same on Linux, line by line; tests\launcher compares the two. ASCII only: cmd reads this file in
rem the console's code page, so Chinese text lives in webui\launcher\no-python.zh.txt.
setlocal EnableExtensions DisableDelayedExpansion
if not defined ATHANOR_CWD set "ATHANOR_CWD=%CD%"
pushd "%~dp0"
chcp 65001 >nul 2>nul
set "PYTHONUTF8=1"

set "PY="
if exist ".venv\Scripts\python.exe" call :try ".venv\Scripts\python.exe"
if defined ATHANOR_PYTHON call :try "%ATHANOR_PYTHON%"
call :try py -3.11
call :try py -3.12
call :try py -3.10
call :try py -3.13
call :try python3
call :try python
if not defined PY goto nopython

rem "update" may replace this very file while cmd reads it line by line: goto looks its label up anew.
%PY% -m webui.launcher %* & goto finish
:finish
exit /b %errorlevel%

:try
if defined PY exit /b
%* -c "import sys; sys.exit(not ((3, 10) <= sys.version_info[:2] < (3, 14) and sys.maxsize > 2**32))" >nul 2>nul
if not "%errorlevel%"=="0" exit /b
set PY=%*
exit /b

:nopython
set "LANGUAGE=en"
set "LOCALE=en"
for /f "tokens=3" %%L in ('reg query "HKCU\Control Panel\International" /v LocaleName 2^>nul') do set "LOCALE=%%L"
if /i "%LOCALE:~0,2%"=="zh" set "LANGUAGE=zh"
:words
if "%~1"=="" goto say
if /i "%~1"=="--lang" set "LANGUAGE=%~2"
shift
goto words
:say
if not exist "webui\launcher\no-python.%LANGUAGE%.txt" set "LANGUAGE=en"
type "webui\launcher\no-python.%LANGUAGE%.txt"
if not defined ATHANOR_NO_PAUSE pause
exit /b 1
