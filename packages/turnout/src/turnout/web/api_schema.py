"""What OpenAPI says of `POST /api/v2/query`. The parser in `query/` decides; this page describes it to tools."""

from __future__ import annotations

from dataclasses import dataclass

from litestar.openapi.spec import (
    Example,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIType

from turnout.query import dimensions, filters, metrics, parse, ranges

_TEXT = OpenAPIType.STRING
_FLAG = Schema(type=OpenAPIType.BOOLEAN)

_DIMENSION = Schema(
    one_of=[
        Schema(type=_TEXT, enum=list(dimensions.NAMES)),
        Schema(
            type=_TEXT, pattern=r"^event:props:.+$", max_length=len("event:props:") + dimensions.MAX_PROPERTY_LENGTH
        ),
    ]
)
_DATE_RANGE = Schema(
    one_of=[
        Schema(type=_TEXT, enum=list(ranges.NAMED)),
        Schema(type=OpenAPIType.ARRAY, items=Schema(type=_TEXT), min_items=2, max_items=2),
    ],
    description="A name, or two ISO 8601 dates or date-times, both ends included.",
)
_FILTER = Schema(
    type=OpenAPIType.ARRAY,
    items=Schema(),
    min_items=2,
    max_items=4,
    description='`["is", "visit:country", ["DE"]]`, `["and", [filters]]`, `["or", [filters]]` or `["not", filter]`; '
    f"at most {filters.MAX_COMPARISONS} comparisons, {filters.MAX_DEPTH} deep.",
)
_ORDER = Schema(type=OpenAPIType.ARRAY, items=Schema(type=_TEXT), min_items=2, max_items=2)
_INCLUDE = Schema(
    type=OpenAPIType.OBJECT,
    properties={"imports": _FLAG, "time_labels": _FLAG, "total_rows": _FLAG},
    additional_properties=False,
)
_PAGINATION = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "limit": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=parse.MAX_LIMIT, default=parse.MAX_LIMIT),
        "offset": Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=parse.MAX_OFFSET, default=0),
    },
    additional_properties=False,
)
_QUERY = Schema(
    type=OpenAPIType.OBJECT,
    required=["site_id", "metrics", "date_range"],
    properties={
        "site_id": Schema(type=_TEXT, min_length=1, max_length=parse.MAX_SITE_ID_LENGTH),
        "metrics": Schema(
            type=OpenAPIType.ARRAY,
            items=Schema(type=_TEXT, enum=list(metrics.NAMES)),
            min_items=1,
            max_items=parse.MAX_METRICS,
            unique_items=True,
        ),
        "date_range": _DATE_RANGE,
        "dimensions": Schema(
            type=OpenAPIType.ARRAY, items=_DIMENSION, max_items=parse.MAX_DIMENSIONS, unique_items=True
        ),
        "filters": Schema(type=OpenAPIType.ARRAY, items=_FILTER),
        "order_by": Schema(type=OpenAPIType.ARRAY, items=_ORDER),
        "include": _INCLUDE,
        "pagination": _PAGINATION,
    },
    additional_properties=False,
)
_EXAMPLE = {
    "site_id": "example.com",
    "metrics": ["visitors", "bounce_rate"],
    "date_range": "7d",
    "dimensions": ["visit:source"],
}
_ERROR = Schema(type=OpenAPIType.OBJECT, required=["error"], properties={"error": Schema(type=_TEXT)})


def _error(description: str) -> OpenAPIResponse:
    return OpenAPIResponse(description, content={"application/json": OpenAPIMediaType(schema=_ERROR)})


@dataclass
class QueryOperation(Operation):
    """The operation of `POST /api/v2/query`, with its body and its failures."""

    def __post_init__(self) -> None:
        self.summary = "Query a site's statistics"
        self.security = [{"bearer": []}]
        self.request_body = RequestBody(
            content={
                "application/json": OpenAPIMediaType(
                    schema=_QUERY, examples={"sources": Example(summary="Sources of a week", value=_EXAMPLE)}
                )
            },
            required=True,
        )
        self.responses = {
            **(self.responses or {}),
            "400": _error("The query can't be used; the error begins with the path of what is wrong."),
            "401": _error("No valid key of scope `stats`."),
            "404": _error("No site of this name that this key may read."),
            "413": _error("The body is too large."),
            "503": _error("The store can't answer now; come back after `Retry-After` seconds."),
        }
