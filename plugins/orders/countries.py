"""Names of countries, as they are found in an address: in English, in the country's own languages and in Chinese."""

import re

_NAMES = {
    "AT": "Austria|Österreich|奥地利",
    "BE": "Belgium|België|Belgique|Belgien|比利时",
    "BG": "Bulgaria|България|保加利亚",
    "CH": "Switzerland|Schweiz|Suisse|Svizzera|瑞士",
    "CY": "Cyprus|Κύπρος|塞浦路斯",
    "CZ": "Czechia|Czech Republic|Česko|捷克",
    "DE": "Germany|Deutschland|德国",
    "DK": "Denmark|Danmark|丹麦",
    "EE": "Estonia|Eesti|爱沙尼亚",
    "ES": "Spain|España|西班牙",
    "FI": "Finland|Suomi|芬兰",
    "FR": "France|法国",
    "GB": "United Kingdom|UK|Great Britain|England|Scotland|Wales|英国",
    "GR": "Greece|Ελλάδα|希腊",
    "HR": "Croatia|Hrvatska|克罗地亚",
    "HU": "Hungary|Magyarország|匈牙利",
    "IE": "Ireland|Éire|爱尔兰",
    "IT": "Italy|Italia|意大利",
    "LT": "Lithuania|Lietuva|立陶宛",
    "LU": "Luxembourg|Luxemburg|卢森堡",
    "LV": "Latvia|Latvija|拉脱维亚",
    "MT": "Malta|马耳他",
    "NL": "Netherlands|Nederland|Holland|荷兰",
    "NO": "Norway|Norge|挪威",
    "PL": "Poland|Polska|波兰",
    "PT": "Portugal|葡萄牙",
    "RO": "Romania|România|罗马尼亚",
    "SE": "Sweden|Sverige|瑞典",
    "SI": "Slovenia|Slovenija|斯洛文尼亚",
    "SK": "Slovakia|Slovensko|斯洛伐克",
    "US": "United States|USA|美国",
    "CA": "Canada|加拿大",
    "CN": "China|中国",
    "HK": "Hong Kong|香港",
    "TW": "Taiwan|台湾",
    "JP": "Japan|日本",
    "AU": "Australia|澳大利亚",
    "TR": "Turkey|Türkiye|土耳其",
    "UA": "Ukraine|Україна|乌克兰",
}
# A country stands at the end of an address, in Chinese at its beginning: "Rue de France 3, 31000 Toulouse" names none.
_NAMED = {
    code: re.compile(rf"(?:^|[,，;；\n]|\d|\s)\s*(?:the\s+)?(?:{names})\s*[.。]?$|^(?:{names})(?=[\u4e00-\u9fff])", re.IGNORECASE)
    for code, names in _NAMES.items()
}


def country_named(address: str) -> str | None:
    """The ISO 3166 code of the country that an address names; None where it names none that is known."""
    return next((code for code, pattern in _NAMED.items() if pattern.search(address.strip())), None)
