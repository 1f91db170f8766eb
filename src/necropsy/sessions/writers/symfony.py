r"""Symfony's session (HttpFoundation), in its Redis handler, SncRedisBundle or PHP's own handler.

``sf_s<id>`` (any prefix)::

    _sf2_attributes|a:1:{s:26:"_security.main.target_path";s:30:"http://shop/account";}
    _sf2_meta|a:3:{s:1:"u";i:1795984170;s:1:"c";i:1795984170;s:1:"l";i:0;}

``c`` is the creation and ``u`` the last use, in seconds. Logged in is who has ``_security_<firewall>``. The path that sent a
visitor to the login stands in ``_security.<firewall>.target_path``. An empty session is not stored.

Source: symfony/http-foundation ``Session/Storage/MetadataBag.php``, ``Handler/RedisSessionHandler.php``; proved by
tests/writers/symfony.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.sessions.attributes import NOBODYS
from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import ALNUM, LETTERS, Clock, SessionForm, big_endian
from necropsy.sessions.writers.php import VALUE

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.sessions.writers.form import Moments

LAYOUT: Final = "symfony"
_ID: Final = r"[0-9A-Za-z,\-]{22,256}$"
_LETTERS: Final = ALNUM + b",-"
_NOBODYS: Final = rf"(?:_csrf/[ !#-~]*|_security\.[ !#-~]*|{'|'.join(sorted(NOBODYS))})"
_META: Final = r'(?s)_sf2_meta(?:\||";)a:[0-9]:\{s:1:"u";i:(?P<used>[0-9]{1,12});s:1:"c";i:(?P<created>[0-9]{1,12});'
_IGBINARY: Final = r"(?s)^\x00\x00\x00[\x01\x02]\x14.\x11\x0f_sf2_attributes"
_IGBINARY_NOBODYS: Final = rf"(?:\x11.{_NOBODYS}(?:\x11.[ -~]*|\x06.|[\x00\x04\x05]))"
_IGBINARY_META: Final = r"(?s)\x09_sf2_meta%?\x14\x03\x11\x01u\x0a(?P<used>.{4})\x11\x01c\x0a(?P<created>.{4})\x11\x01l"

CURES: Final = {
    LAYOUT: Cure(
        framework="Symfony (HttpFoundation session)",
        starts="Anything put into the session: the redirect to the login (target path), a CSRF token of a form, a flash message.",
        stop="Leave health pages outside the firewall, and use stateless CSRF tokens where forms are public.",
        code="""# config/packages/security.yaml
security:
    firewalls:
        health: { pattern: ^/health$, security: false }
# config/packages/framework.yaml
framework:
    session: { gc_maxlifetime: 86400 }
    csrf_protection: { stateless_token_ids: [submit, authenticate, logout] }  # Symfony 7.2""",
        language="yaml",
        lifetime="framework.session.gc_maxlifetime: 86400",
        source="symfony docs session.rst, security/csrf.rst",
    )
}


def _igbinary(heads: pa.Array) -> Moments:
    import pyarrow.compute as pc

    found = pc.extract_regex(heads, pattern=_IGBINARY_META)
    told: Moments = {}
    for name in ("created", "used"):
        seconds, known = big_endian(found, name, 4)
        told[name] = seconds * 1000, known
    return told


FORMS: Final = (
    SessionForm(
        LAYOUT,
        first=LETTERS,
        value=_META,
        key=_ID,
        alphabet=_LETTERS,
        longest=256,
        clock=Clock(_META, created="s", used="s", tail=96),
        user=r'(?s)"_security_[A-Za-z0-9_]+";[sO]:[1-9]',
        nobody=rf'(?s)(?:^_sf2_attributes\||_sf2_attributes";)a:[0-9]+:\{{(?:s:[0-9]+:"{_NOBODYS}";(?:{VALUE}))*\}}(?:_s|s:|\}}|$)',
        creator=r'(?s)target_path";s:[0-9]+:"https?://(?P<host>[^/"?#]+)(?P<path>[^"?#]*)',
    ),
    SessionForm(
        LAYOUT,
        first=b"\0",
        value=_IGBINARY,
        key=_ID,
        alphabet=_LETTERS,
        longest=256,
        clock=_igbinary,
        user=r"(?s)\x11._security_[A-Za-z0-9_]+(?:\x11[^\x00]|\x12)",
        nobody=rf"{_IGBINARY}%?\x14(?:\x00|.{_IGBINARY_NOBODYS}+)\x11.(?:_sf2_meta|_symfony)",
    ),
    SessionForm(  # written in full by a serializer, or too long for its end to be seen
        LAYOUT,
        first=b"_a",
        value=r'(?s)^(?:_sf2_attributes\||a:[0-9]+:\{s:15:"_sf2_attributes")',
        key=_ID,
        alphabet=_LETTERS,
        longest=256,
        user=r'(?s)"_security_[A-Za-z0-9_]+";[sO]:[1-9]',
    ),
)
