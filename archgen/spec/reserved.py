"""Words that a name can't be, per language, and module names that a Python service would hide.

Written out rather than asked of the interpreter: what archgen writes must not depend on the Python it
runs on.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PYTHON = _words(
    """
    False None True and as assert async await break class continue def del elif else except finally
    for from global if import in is lambda nonlocal not or pass raise return try while with yield
    """
)
"""Keywords of Python."""

TYPESCRIPT = _words(
    """
    arguments await break case catch class const continue debugger default delete do else enum eval
    export extends false finally for function if implements import in instanceof interface let new
    null package private protected public return static super switch this throw true try typeof var
    void while with yield
    """
)
"""Words that TypeScript refuses as the name of a variable or function."""

JAVA = _words(
    """
    abstract assert boolean break byte case catch char class const continue default do double else
    enum extends false final finally float for goto if implements import instanceof int interface
    long native new null package private protected public return short static strictfp super switch
    synchronized this throw throws transient true try void volatile while
    """
)
"""Keywords and literals of Java."""

PYTHON_MODULES = _words(
    """
    abc aifc aio_pika aiohttp aiokafka aiosqlite annotationlib anthropic antigravity anyio argon2
    argparse array ast asynchat asyncio asyncore asyncpg atexit audioop base64 bdb binascii bisect
    builtins bz2 cProfile calendar cgi cgitb chassis chunk click cmath cmd code codecs codeop
    collections colorsys compileall compression concurrent configparser confluent_kafka conftest
    contextlib contextvars contracts copy copyreg crypt cryptography csv ctypes curses dataclasses
    datetime dbm decimal deploy difflib dis distutils docs doctest email encodings ensurepip enum
    errno fastapi faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc
    generated genericpath getopt getpass gettext glob google granian graphlib grp grpc gzip hashlib
    heapq hmac honcho html http httpx hypothesis idlelib imaplib imghdr imp importlib inspect io
    ipaddress itertools jinja2 json jwt keyword lib2to3 linecache locale logging lzma mailbox
    mailcap marshal math mimetypes mmap modulefinder msgspec msilib msvcrt multiprocessing nats
    netrc nis nntplib nt ntpath nturl2path numbers opcode opentelemetry operator optparse orjson os
    ossaudiodev pathlib pdb pickle pickletools pika pip pipes pkgutil platform plistlib poplib posix
    posixpath pprint procrastinate profile prometheus_client pstats psycopg pty pwd py_compile
    pyclbr pydantic pydoc pydoc_data pyexpat pytest queue quopri random re readline redis reprlib
    resource rlcompleter runpy sched secrets select selectors setuptools shelve shlex shutil signal
    site site_packages sitecustomize smtpd smtplib sndhdr socket socketserver spwd sqlalchemy sqlite3 src
    sre_compile sre_constants sre_parse ssl starlette stat statistics string stringprep struct
    structlog subprocess sunau symtable sys sysconfig syslog tabnanny tarfile taskiq telnetlib
    tempfile termios test tests textwrap this threading time timeit tkinter token tokenize tomllib
    trace traceback tracemalloc tty turtle turtledemo typer types typing unicodedata unittest urllib
    usercustomize uu uuid uvicorn venv warnings wave weakref webbrowser wheel winreg winsound wsgiref
    xdrlib xml xmlrpc yaml zipapp zipfile zipimport zlib zoneinfo
    """
)
"""The standard library of Python 3.8 to 3.14, the libraries of a generated service, its own folders."""


TYPES = _words(
    """
    None True False Any Literal Object String Integer Long Double Float Boolean Character Exception
    Error Number Symbol Function Array Promise Date Decimal UUID
    Money Event Command State Refused Saga Step Decision System Literal ClassVar
    Access Types Aggregates UseCases Routes Wiring Clients Peers Jobs Rpcs Grpc
    """
)
"""Type names that the languages' own libraries, the chassis or a generated module have taken."""

FIELDS = _words("date datetime str bool tuple")
"""Names that stand for the type of another field in a Python class, and so can't name one there."""
