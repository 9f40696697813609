"""Names as a register holds them: common surnames at their shares, given names by sex, names of other groups."""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate, pairwise
from math import exp, log
from random import Random


def words(text: str) -> tuple[str, ...]:
    """Give the words of a line."""
    return tuple(text.split())


# In order of frequency.  Source: count of all registers by the Ministry of Public Security, made known 2007-04-24.
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
HUNDRED_PERCENT = 84.77  # what the hundred hold together, same source
# Rank and percent.  The first three, and that ranks 4 to 10 are over 1.56 (20 million people) and 11 to 22 between
# that and 0.78, are of the same source; the rest is set so that the hundred add up to what it says.
_SHARES = (
    *((1, 7.25), (2, 7.19), (3, 6.83), (4, 5.38), (5, 4.53), (6, 3.08)),
    *((10, 1.8), (11, 1.45), (22, 0.83), (23, 0.75), (50, 0.38), (100, 0.169)),
)
_TWO_UNITS = words("欧阳 上官 司马 诸葛 皇甫 令狐 尉迟 公孙")
_TWO_UNITS_PERCENT = 0.12

_MALE = "伟强磊军勇杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林峰博文志建国庆春海永成东子泽轩然睿铭晨"
_FEMALE = "芳娜敏静丽艳娟霞秀燕玲桂兰英梅红云萍雪琳婷颖慧莹倩蓉薇洁佳欣雨梓涵诗怡思雅梦瑶璐晓春凤珍琴莲丹"
_BOTH = "文晓明新小玉金志海国永清一天安嘉子宇家佳思梓若亦景书乐可心"
_DOTTED_FIRST = words("阿依古丽 买买提 艾力 吐尔逊 热孜万 古丽娜 阿不都拉 玛依拉 帕提古丽 努尔")
_DOTTED_SECOND = words("艾合买提 阿卜力米提 吾斯曼 司马义 依明 卡德尔 托合提 沙力克 热合曼 肉孜")
_TIBETAN = words("扎西 次仁 卓玛 达瓦 尼玛 央金 多吉 平措 拉姆 旺堆 格桑 白玛 索朗 德吉")
_MONGOLIAN = words("巴特尔 其其格 乌兰 苏日娜 额尔敦 娜仁 朝鲁 哈斯 斯琴高娃 那日松 萨仁")

# Ethnic code (GB/T 3304) and people in 1,000: set for a province of many groups, after no census.
ETHNIC_SHARES = {
    "01": 640,
    "06": 115,
    "09": 72,
    "15": 42,
    "12": 41,
    "07": 25,
    "37": 15,
    "25": 11,
    "03": 8,
    "05": 7,
    "14": 5,
    "11": 5,
    "02": 5,
    "04": 5,
    "17": 2,
    "08": 2,
}
_DOTTED_GROUPS = ("05", "17")


def surname_percent(rank: int) -> float:
    """Give the share of the surname at `rank` (1 to 100) among all people, in percent."""
    for (low, upper), (high, lower) in pairwise(_SHARES):
        if low <= rank <= high:
            part = (rank - low) / (high - low)
            return exp(log(upper) * (1 - part) + log(lower) * part)
    raise ValueError(f"rank {rank}: the table has 1 to {len(SURNAMES)}")


_SURNAMES_UP_TO = list(accumulate(surname_percent(rank) for rank in range(1, len(SURNAMES) + 1)))
_ETHNIC_CODES = list(ETHNIC_SHARES)
_ETHNIC_UP_TO = list(accumulate(ETHNIC_SHARES.values()))


def draw_ethnic(rng: Random) -> str:
    """Give an ethnic code at its share."""
    return _ETHNIC_CODES[bisect(_ETHNIC_UP_TO, rng.random() * _ETHNIC_UP_TO[-1])]


def draw_name(rng: Random, sex: str, ethnic: str) -> str:
    """Give a name of 2 to 12 units: ideographs up to U+9FA5, and U+00B7 between the parts of some names."""
    if ethnic in _DOTTED_GROUPS:
        return f"{rng.choice(_DOTTED_FIRST)}·{rng.choice(_DOTTED_SECOND)}"
    if ethnic == "04":
        return "".join(rng.sample(_TIBETAN, 2))
    if ethnic == "02" and rng.random() < 0.6:
        return rng.choice(_MONGOLIAN)
    return draw_surname(rng) + draw_given_name(rng, sex)


def draw_surname(rng: Random) -> str:
    """Give a surname: one of the common hundred, seldom one of two units."""
    if rng.random() < _TWO_UNITS_PERCENT / 100:
        return rng.choice(_TWO_UNITS)
    return SURNAMES[bisect(_SURNAMES_UP_TO, rng.random() * _SURNAMES_UP_TO[-1])]


def draw_given_name(rng: Random, sex: str) -> str:
    """Give a given name of two units, or of one for 14 in 100."""
    own = _MALE if sex == "1" else _FEMALE
    last = rng.choice(own)
    if rng.random() < 0.14:
        return last
    return rng.choice(own + _BOTH) + last
