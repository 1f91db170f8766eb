"""Names of months, halves of the day and time zones, as loggers write them in their user's language."""

from __future__ import annotations

from typing import Final

_MONTHS: Final[tuple[str, ...]] = (
    "jan january januar janvier janv ene enero janeiro gen gennaio januari sty stycznia янв января січ oca ocak led ledna 一月 正月",
    "feb february februar février févr fév febrero fev fevereiro febbraio februari lut lutego фев февр февраля лют şub şubat 二月",
    "mar march märz mär mrz mars marzo março mrt maart marca март мар марта бер mart 三月",
    "apr april avril avr abr abril aprile kwi kwietnia апр апреля квіт nis nisan 四月",
    "may mai mayo maio mag maggio mei maj maja май мая трав mayıs 五月",
    "jun june juni juin junio junho giu giugno cze czerwca июн июнь июня чер haz haziran 六月",
    "jul july juli juil juillet julio julho lug luglio lip lipca июл июль июля tem temmuz 七月",
    "aug august août aout ago agosto augustus sie sierpnia авг августа серп ağu ağustos 八月",
    "sep sept september septembre septiembre set setembro settembre wrz września сен сент сентября вер eyl eylül 九月",
    "oct october okt oktober octobre octubre out outubro ott ottobre paź października окт октября жовт eki ekim 十月",
    "nov november novembre noviembre novembro lis listopada ноя нояб ноября kas kasım 十一月",
    "dec december dez dezember déc décembre dic diciembre dezembro dicembre des gru grudnia дек декабря груд ara aralık 十二月",
)

MONTHS: Final[dict[str, int]] = {
    name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()
} | {f"{number}{sign}": number for number in range(1, 13) for sign in ("月", "월")}
"""Month by its name in small letters, without a full stop."""

AFTERNOON: Final = frozenset(
    [
        "pm",
        "p.m",
        "p.m.",
        "p.",
        "m.",
        "下午",
        "晚上",
        "午後",
        "오후",
        "nachm",
        "nachm.",
        "nm.",
        "пп",
        "μ.μ.",
        "em",
        "ch",
        "tarde",
        "μμ",
        "ös",
    ]
)
"""Marks of the second half of the day, in small letters."""

HALF: Final = r"[AaPp]\.?[\s\x{a0}]?[Mm]\.?|上午|下午|凌晨|早上|中午|晚上|午前|午後|오전|오후|VORM\.|NACHM\.|vorm\.|nachm\.|ДП|ПП|[πΠ]\.[μΜ]\.|[μΜ]\.[μΜ]\.|ÖÖ|ÖS"
"""Finds either half of the day."""

ZONES: Final[dict[str, str]] = {
    "Z": "+00", "UTC": "+00", "GMT": "+00", "WET": "+00", "CET": "+01", "CEST": "+02", "EET": "+02", "EEST": "+03", "MSK": "+03",
    "JST": "+09", "KST": "+09", "HKT": "+08", "SGT": "+08", "WIB": "+07", "AEST": "+10", "AEDT": "+11",
    "EST": "-05", "EDT": "-04", "CDT": "-05", "MST": "-07", "MDT": "-06", "PST": "-08", "PDT": "-07",
}  # fmt: skip
"""Names of zones that mean one offset. CST, IST and BST mean several, and are not among them."""
