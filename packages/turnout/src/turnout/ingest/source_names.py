"""The names of well-known sources by host and by tag, and what kind each is. Our own list."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["search", "social", "video", "shopping", "email", "ai", "other"]


class Known(NamedTuple):
    """A source we know: its display name and its kind."""

    name: str
    kind: Kind


_SOURCES: tuple[tuple[str, Kind, str], ...] = (
    # name, kind, hosts (a host covers its subdomains; `name.*` every country's domain)
    ("Google", "search", "google.* com.google.android.googlequicksearchbox"),
    ("Gmail", "email", "mail.google.com com.google.android.gm"),
    ("Google News", "other", "news.google.com"),
    ("Bing", "search", "bing.com"),
    ("DuckDuckGo", "search", "duckduckgo.com"),
    ("Yahoo!", "search", "yahoo.* search.yahoo.com"),
    ("Yahoo! Mail", "email", "mail.yahoo.com"),
    ("Yandex", "search", "yandex.* ya.ru"),
    ("Baidu", "search", "baidu.com"),
    ("Ecosia", "search", "ecosia.org"),
    ("Qwant", "search", "qwant.com"),
    ("Brave", "search", "search.brave.com"),
    ("Startpage", "search", "startpage.com"),
    ("Kagi", "search", "kagi.com"),
    ("Mojeek", "search", "mojeek.com"),
    ("Naver", "search", "naver.com"),
    ("Seznam", "search", "seznam.cz"),
    ("Sogou", "search", "sogou.com"),
    ("AOL", "search", "search.aol.com"),
    ("Swisscows", "search", "swisscows.com"),
    ("MetaGer", "search", "metager.de metager.org"),
    ("Facebook", "social", "facebook.com fb.com fb.me messenger.com com.facebook.katana"),
    ("Instagram", "social", "instagram.com com.instagram.android"),
    ("Threads", "social", "threads.net threads.com"),
    ("Twitter", "social", "twitter.com x.com t.co com.twitter.android"),
    ("LinkedIn", "social", "linkedin.com lnkd.in com.linkedin.android"),
    ("Reddit", "social", "reddit.com redd.it com.reddit.frontpage"),
    ("Hacker News", "social", "news.ycombinator.com hckrnews.com"),
    ("Lobsters", "social", "lobste.rs"),
    (
        "Mastodon",
        "social",
        "mastodon.social mastodon.online fosstodon.org hachyderm.io mas.to mstdn.social chaos.social",
    ),
    ("Bluesky", "social", "bsky.app go.bsky.app"),
    ("Pinterest", "social", "pinterest.* pin.it"),
    ("TikTok", "social", "tiktok.com"),
    ("Telegram", "social", "telegram.org t.me web.telegram.org org.telegram.messenger"),
    ("WhatsApp", "social", "whatsapp.com wa.me"),
    ("Discord", "social", "discord.com discordapp.com"),
    ("Slack", "social", "slack.com com.slack"),
    ("Tumblr", "social", "tumblr.com"),
    ("VKontakte", "social", "vk.com vkontakte.ru"),
    ("Weibo", "social", "weibo.com weibo.cn"),
    ("Quora", "social", "quora.com"),
    ("Stack Overflow", "social", "stackoverflow.com stackexchange.com"),
    ("XING", "social", "xing.com"),
    ("Snapchat", "social", "snapchat.com"),
    ("YouTube", "video", "youtube.com youtu.be com.google.android.youtube"),
    ("Vimeo", "video", "vimeo.com"),
    ("Twitch", "video", "twitch.tv"),
    ("Dailymotion", "video", "dailymotion.com"),
    ("Bilibili", "video", "bilibili.com"),
    ("Amazon", "shopping", "amazon.*"),
    ("eBay", "shopping", "ebay.*"),
    ("Etsy", "shopping", "etsy.com"),
    ("AliExpress", "shopping", "aliexpress.com"),
    ("Walmart", "shopping", "walmart.com"),
    ("Shopify", "shopping", "shopify.com shop.app"),
    ("Outlook", "email", "outlook.com outlook.live.com outlook.office.com outlook.office365.com"),
    ("Proton Mail", "email", "mail.proton.me"),
    ("ChatGPT", "ai", "chatgpt.com chat.openai.com"),
    ("Claude", "ai", "claude.ai"),
    ("Gemini", "ai", "gemini.google.com"),
    ("Perplexity", "ai", "perplexity.ai"),
    ("Copilot", "ai", "copilot.microsoft.com"),
    ("DeepSeek", "ai", "chat.deepseek.com"),
    ("Mistral", "ai", "chat.mistral.ai"),
    ("GitHub", "other", "github.com"),
    ("GitLab", "other", "gitlab.com"),
    ("Wikipedia", "other", "wikipedia.org"),
    ("Product Hunt", "other", "producthunt.com"),
    ("Medium", "other", "medium.com"),
    ("Substack", "other", "substack.com"),
)

BY_HOST: dict[str, Known] = {host: Known(name, kind) for name, kind, hosts in _SOURCES for host in hosts.split()}

BY_TAG: dict[str, Known] = {name.lower(): Known(name, kind) for name, kind, _ in _SOURCES} | {
    "fb": Known("Facebook", "social"),
    "ig": Known("Instagram", "social"),
    "x": Known("Twitter", "social"),
    "yt": Known("YouTube", "video"),
    "adwords": Known("Google", "search"),
    "googleads": Known("Google", "search"),
    "yahoo": Known("Yahoo!", "search"),
    "newsletter": Known("Newsletter", "email"),
    "email": Known("Email", "email"),
}
"""What people write into utm_source, in lower case."""
