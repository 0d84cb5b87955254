"""Signs and words of currencies, by ISO 4217 code."""

WORDS = {
    "EUR": ["€", "euro", "euros", "евро", "欧元", "歐元", "ユーロ", "유로", "يورو", "avro", "eur"],
    "USD": ["us$", "usd", "us dollar", "us dollars", "us-dollar", "dólares americanos", "美元", "美金", "米ドル", "미국 달러"],
    "GBP": ["£", "gbp", "quid", "sterling", "pound sterling", "pounds sterling", "英镑", "英鎊", "ポンド", "파운드"],
    "CNY": ["cn¥", "cny", "rmb", "yuan", "人民币", "人民幣", "元人民币", "块钱", "块", "塊", "юаней", "юань", "人民元", "위안"],
    "JPY": ["jp¥", "jpy", "yen", "日元", "日圓", "日円", "円", "иен", "엔"],
    "KRW": ["₩", "krw", "韩元", "韓元", "ウォン", "원"],
    "HKD": ["hk$", "hkd", "港币", "港元", "港幣"],
    "TWD": ["nt$", "twd", "新台币", "新臺幣", "台币", "臺幣"],
    "INR": ["₹", "inr", "rs", "rupee", "rupees", "卢比"],
    "RUB": ["₽", "rub", "руб", "рубль", "рубля", "рублей", "卢布", "ruble", "rubles", "roubles"],
    "UAH": ["₴", "uah", "грн", "гривен", "гривны"],
    "TRY": ["₺", "tl", "lira", "türk lirası", "里拉"],
    "PLN": ["zł", "pln", "złoty", "złote", "złotych", "zloty"],
    "CHF": ["chf", "fr.", "franken", "swiss francs", "francs suisses", "franchi svizzeri", "瑞士法郎"],
    "BRL": ["r$", "brl", "reais"],
    "MXN": ["mx$", "mxn"],
    "CAD": ["ca$", "c$", "cad", "canadian dollars", "加元"],
    "AUD": ["au$", "a$", "aud", "australian dollars", "澳元"],
    "NZD": ["nz$", "nzd"],
    "SGD": ["s$", "sgd", "新加坡元"],
    "SEK": ["sek"],
    "NOK": ["nok"],
    "DKK": ["dkk"],
    "CZK": ["kč", "czk"],
    "HUF": ["huf", "forint"],
    "ILS": ["₪", "ils", "shekels"],
    "AED": ["aed", "درهم", "dirham", "dirhams"],
    "SAR": ["sar", "ريال"],
    "EGP": ["egp", "جنيه"],
    "THB": ["฿", "thb", "baht"],
    "VND": ["₫", "vnd"],
}

# Words that many countries use: the region decides, else the first currency listed.
SHARED = {
    "dollar": ["$", "dollar", "dollars", "dólar", "dólares", "dollari", "dollaro", "dolar", "dolary", "dolarów",
               "доллар", "доллара", "долларов", "ドル", "달러", "دولار", "bucks", "刀"],
    "yuan or yen": ["¥", "元", "圆", "圓"],
    "pound": ["pound", "pounds", "pfund", "livres", "libras"],
    "crown": ["kr", "kr.", "kronor", "kroner"],
    "peso": ["peso", "pesos"],
    "franc": ["franc", "francs", "franchi", "франков"],
}  # fmt: skip
BY_REGION = {
    "dollar": {"": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "SG": "SGD", "HK": "HKD", "TW": "TWD"},
    "yuan or yen": {"": "CNY", "JP": "JPY", "TW": "TWD", "HK": "HKD"},
    "pound": {"": "GBP", "EG": "EGP"},
    "crown": {"": "SEK", "NO": "NOK", "DK": "DKK"},
    "peso": {"": "MXN", "AR": "ARS", "CO": "COP", "CL": "CLP", "PH": "PHP", "UY": "UYU"},
    "franc": {"": "CHF"},
}

# Words read only after a number in digits or Chinese characters, because they mean other things elsewhere.
AFTER_ONLY = ["块", "塊", "元", "圆", "圓", "円", "원", "엔", "fr.", "kr", "kr.", "rs", "刀", "lira", "tl", "rub"]

# What a bare amount means in answer to "Which amount?".
HOME = {
    "US": "USD", "GB": "GBP", "CN": "CNY", "JP": "JPY", "KR": "KRW", "HK": "HKD", "TW": "TWD", "IN": "INR", "RU": "RUB",
    "UA": "UAH", "TR": "TRY", "PL": "PLN", "CH": "CHF", "LI": "CHF", "BR": "BRL", "MX": "MXN", "CA": "CAD", "AU": "AUD",
    "NZ": "NZD", "SG": "SGD", "SE": "SEK", "NO": "NOK", "DK": "DKK", "CZ": "CZK", "HU": "HUF", "IL": "ILS", "AE": "AED",
    "SA": "SAR", "EG": "EGP", "TH": "THB", "VN": "VND", "AR": "ARS", "CO": "COP", "CL": "CLP", "PH": "PHP", "UY": "UYU",
    **dict.fromkeys(["AT", "BE", "HR", "CY", "EE", "FI", "FR", "DE", "GR", "IE", "IT", "LV", "LT", "LU", "MT",
                     "NL", "PT", "SK", "SI", "ES"], "EUR"),
}  # fmt: skip
