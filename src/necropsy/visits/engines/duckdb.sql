-- Compiled from Ibis by `make docs`: change the steps and not this file. Title -> table.

-- counted -> counted
SELECT
  "t0"."page_key",
  COUNT(*) AS "requests"
FROM "line" AS "t0"
GROUP BY
  1

-- asked -> asked
SELECT
  "t7"."page_key",
  "t2"."requests",
  "t7"."method",
  "t7"."path"
FROM (
  SELECT
    "t5"."key" AS "page_key",
    LIST_EXTRACT(STR_SPLIT("t5"."text", ' '), 1) AS "method",
    LIST_EXTRACT(STR_SPLIT("t5"."text", ' '), 2) AS "path"
  FROM (
    SELECT
      "t4"."key",
      MIN("t4"."text") AS "text"
    FROM (
      SELECT
        "t3"."key",
        "t3"."text"
      FROM "given" AS "t3"
      SEMI JOIN "counted" AS "t2"
        ON "t3"."key" = "t2"."page_key"
    ) AS "t4"
    GROUP BY
      1
  ) AS "t5"
) AS "t7"
INNER JOIN "counted" AS "t2"
  ON "t7"."page_key" = "t2"."page_key"

-- paths -> paths
SELECT
  COUNT(DISTINCT "t0"."path") AS "value"
FROM "asked" AS "t0"

-- crowded_paths -> crowded_paths
SELECT
  COUNT(*) AS "value"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t1"."parent",
      COUNT(DISTINCT "t1"."child") AS "names"
    FROM (
      SELECT
        "t0"."page_key",
        "t0"."requests",
        "t0"."method",
        "t0"."path",
        ARRAY_TO_STRING(
          LIST_SLICE(
            STR_SPLIT("t0"."path", '/'),
            1,
            CASE WHEN (
              {depth} - 1
            ) < 0 THEN {depth} - 1 - 1 ELSE {depth} - 1 END
          ),
          '/'
        ) AS "parent",
        LIST_EXTRACT(
          STR_SPLIT("t0"."path", '/'),
          (
            {depth} - 1
          ) + CAST((
            {depth} - 1
          ) >= 0 AS INT)
        ) AS "child"
      FROM "asked" AS "t0"
      WHERE
        ARRAY_LENGTH(STR_SPLIT("t0"."path", '/')) >= {depth}
    ) AS "t1"
    GROUP BY
      1
  ) AS "t2"
  WHERE
    "t2"."names" > {children}
) AS "t3"

-- pruned_paths -> asked
WITH "t2" AS (
  SELECT
    "t0"."page_key",
    "t0"."requests",
    "t0"."method",
    "t0"."path",
    ARRAY_TO_STRING(
      LIST_SLICE(
        STR_SPLIT("t0"."path", '/'),
        1,
        CASE WHEN (
          {depth} - 1
        ) < 0 THEN {depth} - 1 - 1 ELSE {depth} - 1 END
      ),
      '/'
    ) AS "parent",
    LIST_EXTRACT(
      STR_SPLIT("t0"."path", '/'),
      (
        {depth} - 1
      ) + CAST((
        {depth} - 1
      ) >= 0 AS INT)
    ) AS "child"
  FROM "asked" AS "t0"
  WHERE
    ARRAY_LENGTH(STR_SPLIT("t0"."path", '/')) >= {depth}
)
SELECT
  "t1"."page_key",
  "t1"."requests",
  "t1"."method",
  COALESCE("t11"."folded", "t1"."path") AS "path"
FROM "asked" AS "t1"
LEFT OUTER JOIN (
  SELECT
    "t6"."page_key",
    "t6"."folded"
  FROM (
    SELECT
      "t3"."page_key",
      "t3"."parent",
      "t3"."child",
      "t3"."parent" || '/*' || SUBSTRING(
        "t3"."path",
        CASE
          WHEN (
            LENGTH("t3"."parent") + 1 + LENGTH("t3"."child") + 1
          ) >= 1
          THEN LENGTH("t3"."parent") + 1 + LENGTH("t3"."child") + 1
          ELSE LENGTH("t3"."parent") + 1 + LENGTH("t3"."child") + 1 + LENGTH("t3"."path")
        END
      ) AS "folded"
    FROM "t2" AS "t3"
  ) AS "t6"
  SEMI JOIN (
    SELECT
      *
    FROM (
      SELECT
        "t4"."parent",
        "t4"."child",
        "t4"."requests",
        ROW_NUMBER() OVER (
          PARTITION BY "t4"."parent"
          ORDER BY "t4"."requests" DESC, "t4"."child" ASC
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) - 1 AS "place"
      FROM (
        SELECT
          "t3"."parent",
          "t3"."child",
          SUM("t3"."requests") AS "requests"
        FROM "t2" AS "t3"
        GROUP BY
          1,
          2
      ) AS "t4"
    ) AS "t7"
    WHERE
      "t7"."place" >= {children}
  ) AS "t9"
    ON "t6"."parent" = "t9"."parent" AND "t6"."child" = "t9"."child"
) AS "t11"
  ON "t1"."page_key" = "t11"."page_key"

-- page -> page
SELECT
  "t0"."page_key",
  "t0"."method",
  "t0"."path",
  MIN("t0"."page_key") OVER (
    PARTITION BY "t0"."method", "t0"."path"
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  ) AS "pattern_key",
  CAST(DENSE_RANK() OVER (
    ORDER BY "t0"."method" ASC
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  ) - 1 AS INT) AS "method_id"
FROM "asked" AS "t0"

-- redirect_candidates -> redirect_candidates
SELECT
  "t3"."number",
  "t3"."time_us",
  "t3"."host_key",
  "t3"."page_key",
  "t3"."address_key",
  "t3"."referer_key",
  "t3"."flow",
  "t3"."redirect"
FROM (
  SELECT
    "t0"."number",
    "t0"."time_us",
    "t0"."host_key",
    "t0"."page_key",
    "t0"."address_key",
    "t0"."referer_key",
    XOR("t0"."client_key", "t0"."agent_key") AS "flow",
    "t0"."status" IN (301, 302, 303, 307, 308) AS "redirect"
  FROM "line" AS "t0"
) AS "t3"
SEMI JOIN (
  SELECT
    UNNEST(
      CAST([
        XOR("t2"."flow", (
          "t2"."time_us" - (
            "t2"."time_us" % {slack_us}
          )
        )),
        XOR(
          "t2"."flow",
          (
            (
              "t2"."time_us" - (
                "t2"."time_us" % {slack_us}
              )
            ) + {slack_us}
          )
        )
      ] AS BIGINT[])
    ) AS "place"
  FROM (
    SELECT
      "t0"."number",
      "t0"."time_us",
      "t0"."host_key",
      "t0"."page_key",
      "t0"."address_key",
      "t0"."referer_key",
      XOR("t0"."client_key", "t0"."agent_key") AS "flow",
      "t0"."status" IN (301, 302, 303, 307, 308) AS "redirect"
    FROM "line" AS "t0"
    WHERE
      "t0"."status" IN (301, 302, 303, 307, 308)
  ) AS "t2"
) AS "t5"
  ON (
    XOR("t3"."flow", (
      "t3"."time_us" - (
        "t3"."time_us" % {slack_us}
      )
    ))
  ) = "t5"."place"

-- redirects -> redirects
SELECT
  COUNT(*) AS "value"
FROM (
  SELECT
    *
  FROM "redirect_candidates" AS "t0"
  WHERE
    "t0"."redirect"
) AS "t1"

-- host -> host
SELECT
  "t6"."host_key",
  MIN("t6"."host_key") OVER (PARTITION BY "t6"."bare" ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "bare_key"
FROM (
  SELECT
    "t5"."key" AS "host_key",
    REGEXP_REPLACE(LOWER("t5"."text"), ':[0-9]+$', '', 'g') AS "bare"
  FROM (
    SELECT
      "t4"."key",
      MIN("t4"."text") AS "text"
    FROM (
      SELECT
        "t2"."key",
        "t2"."text"
      FROM "given" AS "t2"
      SEMI JOIN "redirect_candidates" AS "t3"
        ON "t2"."key" = "t3"."host_key"
    ) AS "t4"
    GROUP BY
      1
  ) AS "t5"
) AS "t6"

-- hop -> hop
SELECT
  "t3"."number",
  "t3"."time_us",
  "t3"."flow",
  "t3"."host_key",
  "t3"."address_key",
  "t3"."referer_key",
  "t6"."pattern_key",
  "t3"."redirect",
  COALESCE("t4"."bare_key", 0) AS "bare_key",
  TRUE AS "free"
FROM "redirect_candidates" AS "t3"
INNER JOIN (
  SELECT
    "t2"."page_key",
    "t2"."pattern_key"
  FROM "page" AS "t2"
) AS "t6"
  ON "t3"."page_key" = "t6"."page_key"
LEFT OUTER JOIN "host" AS "t4"
  ON "t3"."host_key" = "t4"."host_key"

-- by_referer -> keyed
SELECT
  *
FROM (
  SELECT
    "t9"."number",
    "t9"."time_us",
    "t9"."flow",
    "t9"."pattern_key",
    "t9"."bare_key",
    "t9"."free",
    XOR("t9"."flow", "t9"."name") AS "key",
    1 AS "leads",
    1 AS "what"
  FROM (
    SELECT
      *
    FROM (
      SELECT
        "t0"."number",
        "t0"."time_us",
        "t0"."flow",
        "t0"."host_key",
        "t0"."address_key",
        "t0"."referer_key",
        "t0"."pattern_key",
        "t0"."redirect",
        "t0"."bare_key",
        "t0"."free",
        "t0"."address_key" AS "name"
      FROM "hop" AS "t0"
      WHERE
        "t0"."redirect" AND "t0"."address_key" <> 0
    ) AS "t3"
    UNION ALL
    SELECT
      *
    FROM (
      SELECT
        "t0"."number",
        "t0"."time_us",
        "t0"."flow",
        "t0"."host_key",
        "t0"."address_key",
        "t0"."referer_key",
        "t0"."pattern_key",
        "t0"."redirect",
        "t0"."bare_key",
        "t0"."free",
        "t0"."host_key" AS "name"
      FROM "hop" AS "t0"
      WHERE
        "t0"."redirect"
        AND "t0"."address_key" <> 0
        AND "t0"."host_key" <> "t0"."address_key"
    ) AS "t6"
  ) AS "t9"
  SEMI JOIN (
    SELECT
      "t11"."name"
    FROM (
      SELECT DISTINCT
        *
      FROM (
        SELECT
          *
        FROM (
          SELECT
            "t0"."address_key" AS "name"
          FROM "hop" AS "t0"
          WHERE
            "t0"."redirect" AND "t0"."address_key" <> 0
        ) AS "t4"
        UNION ALL
        SELECT
          *
        FROM (
          SELECT
            "t0"."host_key" AS "name"
          FROM "hop" AS "t0"
          WHERE
            "t0"."redirect" AND "t0"."address_key" <> 0
        ) AS "t5"
      ) AS "t7"
    ) AS "t11"
    SEMI JOIN "hop" AS "t2"
      ON "t11"."name" = "t2"."referer_key"
  ) AS "t13"
    ON "t9"."name" = "t13"."name"
) AS "t14"
UNION ALL
SELECT
  *
FROM (
  SELECT
    "t1"."number",
    "t1"."time_us",
    "t1"."flow",
    "t1"."pattern_key",
    "t1"."bare_key",
    "t1"."free",
    XOR("t1"."flow", "t1"."referer_key") AS "key",
    0 AS "leads",
    0 AS "what"
  FROM "hop" AS "t1"
  SEMI JOIN (
    SELECT
      "t11"."name"
    FROM (
      SELECT DISTINCT
        *
      FROM (
        SELECT
          *
        FROM (
          SELECT
            "t0"."address_key" AS "name"
          FROM "hop" AS "t0"
          WHERE
            "t0"."redirect" AND "t0"."address_key" <> 0
        ) AS "t4"
        UNION ALL
        SELECT
          *
        FROM (
          SELECT
            "t0"."host_key" AS "name"
          FROM "hop" AS "t0"
          WHERE
            "t0"."redirect" AND "t0"."address_key" <> 0
        ) AS "t5"
      ) AS "t7"
    ) AS "t11"
    SEMI JOIN "hop" AS "t2"
      ON "t11"."name" = "t2"."referer_key"
  ) AS "t13"
    ON "t1"."referer_key" = "t13"."name"
) AS "t15"

-- pair_count -> pair_count
SELECT
  "t0"."from_pattern",
  "t0"."to_pattern",
  COUNT(*) AS "seen",
  SUM("t0"."onward") AS "onward"
FROM "guess" AS "t0"
GROUP BY
  1,
  2

-- typical_pair -> typical_pair
SELECT
  "t6"."from_pattern",
  "t6"."to_pattern"
FROM (
  SELECT
    "t5"."from_pattern",
    "t5"."to_pattern",
    "t5"."seen",
    "t5"."onward",
    "t5"."all_seen",
    "t2"."from_pattern" AS "from_pattern_right",
    "t2"."to_pattern" AS "to_pattern_right",
    "t2"."back"
  FROM (
    SELECT
      *
    FROM (
      SELECT
        "t0"."from_pattern",
        "t0"."to_pattern",
        "t0"."seen",
        "t0"."onward",
        SUM("t0"."seen") OVER (
          PARTITION BY "t0"."from_pattern"
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS "all_seen"
      FROM "pair_count" AS "t0"
    ) AS "t3"
    WHERE
      (
        "t3"."all_seen" < 20
      )
      OR (
        "t3"."seen" >= (
          "t3"."all_seen" * 0.05
        )
      )
  ) AS "t5"
  LEFT OUTER JOIN (
    SELECT
      "t0"."to_pattern" AS "from_pattern",
      "t0"."from_pattern" AS "to_pattern",
      "t0"."onward" AS "back"
    FROM "pair_count" AS "t0"
  ) AS "t2"
    ON "t5"."from_pattern" = "t2"."from_pattern"
    AND "t5"."to_pattern" = "t2"."to_pattern"
) AS "t6"
WHERE
  (
    "t6"."onward" <= (
      "t6"."seen" * 0.5
    )
  )
  OR (
    COALESCE("t6"."back", 0) < (
      "t6"."seen" * 0.3
    )
  )

-- coincidences -> coincidences
SELECT
  COALESCE(SUM("t4"."seen"), 0) AS "value"
FROM (
  SELECT
    "t2"."from_pattern",
    "t2"."to_pattern",
    "t2"."seen",
    "t2"."onward"
  FROM "pair_count" AS "t2"
  ANTI JOIN "typical_pair" AS "t3"
    ON "t2"."from_pattern" = "t3"."from_pattern"
    AND "t2"."to_pattern" = "t3"."to_pattern"
) AS "t4"

-- bystander -> bystander
SELECT
  "t4"."number"
FROM (
  SELECT
    *
  FROM "hop" AS "t0"
  WHERE
    NOT (
      "t0"."redirect"
    )
) AS "t4"
ANTI JOIN "typical_pair" AS "t2"
  ON "t4"."pattern_key" = "t2"."to_pattern"

-- ambiguous -> ambiguous
SELECT DISTINCT
  *
FROM (
  SELECT
    "t2"."key"
  FROM "keyed" AS "t2"
  SEMI JOIN "bystander" AS "t3"
    ON "t2"."number" = "t3"."number"
) AS "t4"

-- confirmed_pair -> confirmed_pair
SELECT
  "t2"."key",
  "t2"."number",
  "t2"."follower",
  "t2"."flow",
  "t2"."from_pattern",
  "t2"."to_pattern",
  "t2"."onward"
FROM "guess" AS "t2"
ANTI JOIN "ambiguous" AS "t3"
  ON "t2"."key" = "t3"."key"

-- retried -> keyed
SELECT
  "t9"."number",
  "t9"."time_us",
  "t9"."flow",
  "t9"."pattern_key",
  "t9"."bare_key",
  "t9"."free",
  "t9"."key",
  "t9"."leads",
  "t9"."what"
FROM (
  SELECT
    "t7"."number",
    "t7"."time_us",
    "t7"."flow",
    "t7"."pattern_key",
    "t7"."bare_key",
    "t7"."free",
    "t7"."key",
    "t7"."leads",
    "t7"."what"
  FROM (
    SELECT
      "t4"."number",
      "t4"."time_us",
      "t4"."flow",
      "t4"."pattern_key",
      "t4"."bare_key",
      "t4"."free",
      "t4"."key",
      "t4"."leads",
      "t4"."what",
      "t6"."number" AS "number_right",
      "t6"."passing"
    FROM "keyed" AS "t4"
    LEFT OUTER JOIN (
      SELECT
        "t2"."number",
        TRUE AS "passing"
      FROM "bystander" AS "t2"
    ) AS "t6"
      ON "t4"."number" = "t6"."number"
  ) AS "t7"
  WHERE
    "t7"."passing" IS NULL
) AS "t9"
SEMI JOIN "ambiguous" AS "t3"
  ON "t9"."key" = "t3"."key"

-- merged_pairs -> guess
SELECT
  *
FROM "confirmed_pair" AS "t0"
UNION ALL
SELECT
  *
FROM "guess" AS "t1"

-- first_pair -> first_pair
SELECT
  "t4"."number",
  "t4"."flow",
  MIN("t4"."follower") AS "follower",
  MIN("t4"."from_pattern") AS "from_pattern",
  MAX("t4"."onward") AS "onward"
FROM (
  SELECT
    "t2"."key",
    "t2"."number",
    "t2"."follower",
    "t2"."flow",
    "t2"."from_pattern",
    "t2"."to_pattern",
    "t2"."onward"
  FROM "guess" AS "t2"
  SEMI JOIN "typical_pair" AS "t3"
    ON "t2"."from_pattern" = "t3"."from_pattern"
    AND "t2"."to_pattern" = "t3"."to_pattern"
) AS "t4"
GROUP BY
  1,
  2

-- unpaired -> hop
SELECT
  *
FROM (
  SELECT
    "t2"."number",
    "t2"."time_us",
    "t2"."flow",
    "t2"."host_key",
    "t2"."address_key",
    "t2"."referer_key",
    "t2"."pattern_key",
    "t2"."bare_key",
    "t2"."redirect" AND (
      "t5"."led" IS NULL
    ) AS "redirect",
    "t2"."free" AND (
      "t6"."followed" IS NULL
    ) AS "free"
  FROM "hop" AS "t2"
  LEFT OUTER JOIN (
    SELECT
      "t1"."number",
      TRUE AS "led"
    FROM "first_pair" AS "t1"
  ) AS "t5"
    ON "t2"."number" = "t5"."number"
  LEFT OUTER JOIN (
    SELECT
      "t1"."follower" AS "number",
      TRUE AS "followed"
    FROM "first_pair" AS "t1"
  ) AS "t6"
    ON "t2"."number" = "t6"."number"
) AS "t7"
WHERE
  "t7"."redirect" OR "t7"."free"

-- by_host -> keyed
SELECT
  "t0"."number",
  "t0"."time_us",
  "t0"."flow",
  "t0"."pattern_key",
  "t0"."bare_key",
  "t0"."free",
  XOR("t0"."flow", "t0"."bare_key") AS "key",
  CASE WHEN "t0"."redirect" THEN 1 ELSE 0 END AS "leads",
  "t0"."pattern_key" AS "what"
FROM "hop" AS "t0"

-- second_pair -> second_pair
SELECT
  "t4"."number",
  "t4"."flow",
  MIN("t4"."follower") AS "follower",
  MIN("t4"."from_pattern") AS "from_pattern",
  MAX("t4"."onward") AS "onward"
FROM (
  SELECT
    "t2"."key",
    "t2"."number",
    "t2"."follower",
    "t2"."flow",
    "t2"."from_pattern",
    "t2"."to_pattern",
    "t2"."onward"
  FROM "guess" AS "t2"
  SEMI JOIN "typical_pair" AS "t3"
    ON "t2"."from_pattern" = "t3"."from_pattern"
    AND "t2"."to_pattern" = "t3"."to_pattern"
) AS "t4"
GROUP BY
  1,
  2

-- pair -> pair
SELECT
  *
FROM "first_pair" AS "t0"
UNION ALL
SELECT
  *
FROM "second_pair" AS "t1"

-- chain -> chain
SELECT
  "t8"."root" AS "number",
  COUNT(*) AS "followed",
  FIRST("t8"."path" ORDER BY "t8"."place" DESC) AS "followed_to"
FROM (
  SELECT
    "t3"."number",
    "t3"."root",
    "t3"."place",
    "t6"."page_key",
    "t7"."path"
  FROM "follower" AS "t3"
  INNER JOIN (
    SELECT
      "t1"."number",
      "t1"."page_key"
    FROM "redirect_candidates" AS "t1"
  ) AS "t6"
    ON "t3"."number" = "t6"."number"
  INNER JOIN (
    SELECT
      "t2"."page_key",
      "t2"."path"
    FROM "page" AS "t2"
  ) AS "t7"
    ON "t6"."page_key" = "t7"."page_key"
) AS "t8"
GROUP BY
  1

-- telling -> telling
SELECT
  COUNT(*) AS "value"
FROM (
  SELECT
    *
  FROM "line" AS "t0"
  WHERE
    (
      CAST("t0"."flags" AS INT) & 10
    ) = 10
) AS "t1"

-- cookie_client -> cookie_client
SELECT
  "t7"."client_key",
  "t7"."agent_key",
  COUNT(*) AS "visits",
  SUM("t7"."brought") AS "brought",
  SUM("t7"."given") AS "given",
  SUM("t7"."given" * (
    1 - "t7"."brought"
  )) AS "renewed",
  MIN("t7"."first_us") AS "first_us",
  MAX("t7"."first_us") AS "last_us"
FROM (
  SELECT
    "t6"."client_key",
    "t6"."agent_key",
    COALESCE("t6"."root", "t6"."number") AS "visit",
    MAX(
      CASE
        WHEN (
          "t6"."root" IS NULL
        ) AND (
          (
            "t6"."told" & 1
          ) <> 0
        )
        THEN 1
        ELSE 0
      END
    ) AS "brought",
    MAX(CASE WHEN (
      "t6"."told" & 4
    ) <> 0 THEN 1 ELSE 0 END) AS "given",
    MIN("t6"."time_us") AS "first_us"
  FROM (
    SELECT
      "t5"."number",
      "t5"."time_us",
      "t5"."status",
      "t5"."client_key",
      "t5"."agent_key",
      "t5"."host_key",
      "t5"."page_key",
      "t5"."address_key",
      "t5"."referer_key",
      "t5"."flags",
      "t5"."told",
      "t3"."number" AS "number_right",
      "t3"."root"
    FROM (
      SELECT
        "t0"."number",
        "t0"."time_us",
        "t0"."status",
        "t0"."client_key",
        "t0"."agent_key",
        "t0"."host_key",
        "t0"."page_key",
        "t0"."address_key",
        "t0"."referer_key",
        "t0"."flags",
        CAST("t0"."flags" AS INT) AS "told"
      FROM "line" AS "t0"
      WHERE
        (
          CAST("t0"."flags" AS INT) & 10
        ) = 10
    ) AS "t5"
    LEFT OUTER JOIN (
      SELECT
        "t1"."number",
        "t1"."root"
      FROM "follower" AS "t1"
    ) AS "t3"
      ON "t5"."number" = "t3"."number"
  ) AS "t6"
  GROUP BY
    1,
    2,
    3
) AS "t7"
GROUP BY
  1,
  2

-- cookie_kept -> cookie_kept
SELECT
  "t3"."client_key",
  "t3"."agent_key",
  "t3"."visits",
  "t3"."brought",
  "t3"."given",
  "t3"."renewed",
  "t3"."first_us",
  "t3"."last_us",
  1 AS "clients"
FROM (
  SELECT
    "t2".*
    EXCLUDE ("alone")
  FROM (
    SELECT
      "t0"."client_key",
      "t0"."agent_key",
      "t0"."visits",
      "t0"."brought",
      "t0"."given",
      "t0"."renewed",
      "t0"."first_us",
      "t0"."last_us",
      CASE WHEN "t0"."brought" = 0 THEN "t0"."renewed" ELSE 0 END AS "alone"
    FROM "cookie_client" AS "t0"
    ORDER BY
      CASE WHEN "t0"."brought" = 0 THEN "t0"."renewed" ELSE 0 END DESC,
      "t0"."visits" DESC,
      "t0"."first_us" ASC,
      "t0"."client_key" ASC,
      "t0"."agent_key" ASC
    LIMIT {clients}
  ) AS "t2"
) AS "t3"

-- cookie_rest -> cookie_rest
SELECT
  "t5"."brings",
  "t5"."again",
  SUM("t5"."visits") AS "visits",
  SUM("t5"."brought") AS "brought",
  SUM("t5"."given") AS "given",
  SUM("t5"."renewed") AS "renewed",
  MIN("t5"."first_us") AS "first_us",
  MAX("t5"."last_us") AS "last_us",
  COUNT(*) AS "clients"
FROM (
  SELECT
    "t4"."client_key",
    "t4"."agent_key",
    "t4"."visits",
    "t4"."brought",
    "t4"."given",
    "t4"."renewed",
    "t4"."first_us",
    "t4"."last_us",
    "t4"."brought" > 0 AS "brings",
    "t4"."renewed" > 2 AS "again"
  FROM (
    SELECT
      "t2"."client_key",
      "t2"."agent_key",
      "t2"."visits",
      "t2"."brought",
      "t2"."given",
      "t2"."renewed",
      "t2"."first_us",
      "t2"."last_us"
    FROM "cookie_client" AS "t2"
    ANTI JOIN "cookie_kept" AS "t3"
      ON "t2"."client_key" = "t3"."client_key" AND "t2"."agent_key" = "t3"."agent_key"
  ) AS "t4"
) AS "t5"
GROUP BY
  1,
  2

-- cookie_texts -> cookie_texts
SELECT
  "t8"."key",
  MIN("t8"."text") AS "text"
FROM (
  SELECT
    "t2"."key",
    "t2"."text"
  FROM "given" AS "t2"
  SEMI JOIN (
    SELECT DISTINCT
      *
    FROM (
      SELECT
        *
      FROM (
        SELECT
          "t1"."client_key" AS "key"
        FROM "cookie_kept" AS "t1"
      ) AS "t3"
      UNION ALL
      SELECT
        *
      FROM (
        SELECT
          "t1"."agent_key" AS "key"
        FROM "cookie_kept" AS "t1"
      ) AS "t4"
    ) AS "t5"
  ) AS "t7"
    ON "t2"."key" = "t7"."key"
) AS "t8"
GROUP BY
  1

-- visit -> visit
SELECT
  XOR(
    XOR(
      XOR(XOR("t3"."agent_key", "t3"."host_key"), "t6"."pattern_key"),
      CAST("t3"."status" AS BIGINT)
    ),
    "t3"."client_key"
  ) AS "class_key",
  XOR(
    XOR(XOR("t3"."agent_key", "t3"."host_key"), "t6"."pattern_key"),
    CAST("t3"."status" AS BIGINT)
  ) AS "overflow_key",
  (
    "t6"."method_id" * 1024
  ) + "t3"."status" AS "rest_key",
  XOR("t3"."client_key", "t3"."agent_key") AS "visitor_key",
  "t3"."time_us",
  "t3"."number"
FROM "line" AS "t3"
ANTI JOIN "follower" AS "t4"
  ON "t3"."number" = "t4"."number"
INNER JOIN (
  SELECT
    "t2"."page_key",
    "t2"."pattern_key",
    "t2"."method_id"
  FROM "page" AS "t2"
) AS "t6"
  ON "t3"."page_key" = "t6"."page_key"

-- classes -> classes
SELECT
  "t0"."class_key",
  COUNT(*) AS "visits",
  MIN("t0"."time_us") AS "first_us",
  MAX("t0"."time_us") AS "last_us",
  MIN("t0"."number") AS "number",
  MIN("t0"."overflow_key") AS "overflow_key",
  MIN("t0"."rest_key") AS "rest_key"
FROM "visit" AS "t0"
GROUP BY
  1

-- redirect_target -> redirect_target
SELECT
  "t7"."class_key",
  "t7"."followed_to",
  "t7"."all_followed" AS "followed",
  "t7"."all_followed" AS "most"
FROM (
  SELECT
    "t6"."class_key",
    "t6"."followed_to",
    "t6"."times",
    "t6"."followed",
    ROW_NUMBER() OVER (
      PARTITION BY "t6"."class_key"
      ORDER BY "t6"."times" DESC, "t6"."followed_to" ASC
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) - 1 AS "place",
    SUM("t6"."followed") OVER (
      PARTITION BY "t6"."class_key"
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS "all_followed"
  FROM (
    SELECT
      "t5"."class_key",
      "t5"."followed_to",
      COUNT(*) AS "times",
      SUM("t5"."followed") AS "followed"
    FROM (
      SELECT
        "t4"."number",
        "t4"."class_key",
        "t2"."followed",
        "t2"."followed_to"
      FROM (
        SELECT
          "t0"."number",
          "t0"."class_key"
        FROM "visit" AS "t0"
      ) AS "t4"
      INNER JOIN "chain" AS "t2"
        ON "t4"."number" = "t2"."number"
    ) AS "t5"
    GROUP BY
      1,
      2
  ) AS "t6"
) AS "t7"
WHERE
  "t7"."place" = 0

-- frequent_classes -> frequent_classes
SELECT
  COUNT(*) AS "value"
FROM (
  SELECT
    *
  FROM "classes" AS "t0"
  WHERE
    "t0"."visits" >= {fewest}
) AS "t1"

-- judged -> judged
SELECT
  "t2"."class_key",
  "t2"."time_us"
FROM "visit" AS "t2"
SEMI JOIN (
  SELECT
    *
  FROM "classes" AS "t1"
  WHERE
    "t1"."visits" >= {fewest}
) AS "t4"
  ON "t2"."class_key" = "t4"."class_key"

-- kept -> kept
SELECT DISTINCT
  *
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t4"."class_key"
    FROM (
      SELECT
        *
      FROM "classes" AS "t1"
      ORDER BY
        "t1"."visits" DESC,
        "t1"."number" ASC
      LIMIT {classes}
    ) AS "t4"
  ) AS "t5"
  UNION ALL
  SELECT
    *
  FROM (
    SELECT
      "t0"."class_key"
    FROM "rhythm" AS "t0"
  ) AS "t2"
) AS "t6"

-- overflow_class -> overflow_class
SELECT
  "t7"."overflow_key"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t4"."overflow_key",
      SUM("t4"."visits") AS "visits",
      MIN("t4"."number") AS "number"
    FROM (
      SELECT
        "t2"."class_key",
        "t2"."visits",
        "t2"."first_us",
        "t2"."last_us",
        "t2"."number",
        "t2"."overflow_key",
        "t2"."rest_key"
      FROM "classes" AS "t2"
      ANTI JOIN "kept" AS "t3"
        ON "t2"."class_key" = "t3"."class_key"
    ) AS "t4"
    GROUP BY
      1
  ) AS "t5"
  ORDER BY
    "t5"."visits" DESC,
    "t5"."number" ASC
  LIMIT {classes}
) AS "t7"

-- folded -> folded
WITH "t6" AS (
  SELECT
    "t1"."class_key",
    TRUE AS "itself"
  FROM "kept" AS "t1"
), "t7" AS (
  SELECT
    "t2"."overflow_key",
    TRUE AS "crowded"
  FROM "overflow_class" AS "t2"
)
SELECT
  "t17"."level",
  "t17"."place",
  "t17"."visits",
  "t17"."first_us",
  "t17"."last_us",
  "t17"."number",
  "t20"."followed_to",
  CAST(ROW_NUMBER() OVER (
    ORDER BY "t17"."level" ASC, "t17"."first_us" ASC, "t17"."number" ASC
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  ) - 1 AS INT) AS "class_id",
  "t17"."visits" + COALESCE("t20"."all_followed", 0) AS "requests"
FROM (
  SELECT
    "t14"."level",
    "t14"."place",
    SUM("t14"."visits") AS "visits",
    MIN("t14"."first_us") AS "first_us",
    MAX("t14"."last_us") AS "last_us",
    MIN("t14"."number") AS "number"
  FROM (
    SELECT
      "t4"."class_key",
      "t4"."visits",
      "t4"."first_us",
      "t4"."last_us",
      "t4"."number",
      "t4"."overflow_key",
      "t4"."rest_key",
      CASE
        WHEN "t10"."itself" IS NOT NULL
        THEN 0
        WHEN "t12"."crowded" IS NOT NULL
        THEN 1
        ELSE 2
      END AS "level",
      CASE
        WHEN CASE
          WHEN "t10"."itself" IS NOT NULL
          THEN 0
          WHEN "t12"."crowded" IS NOT NULL
          THEN 1
          ELSE 2
        END = 0
        THEN "t4"."class_key"
        WHEN CASE
          WHEN "t10"."itself" IS NOT NULL
          THEN 0
          WHEN "t12"."crowded" IS NOT NULL
          THEN 1
          ELSE 2
        END = 1
        THEN "t4"."overflow_key"
        ELSE "t4"."rest_key"
      END AS "place"
    FROM "classes" AS "t4"
    LEFT OUTER JOIN "t6" AS "t10"
      ON "t4"."class_key" = "t10"."class_key"
    LEFT OUTER JOIN "t7" AS "t12"
      ON "t4"."overflow_key" = "t12"."overflow_key"
  ) AS "t14"
  GROUP BY
    1,
    2
) AS "t17"
LEFT OUTER JOIN (
  SELECT
    "t18"."level",
    "t18"."place",
    "t18"."followed_to",
    "t18"."all_followed"
  FROM (
    SELECT
      "t15"."class_key",
      "t15"."visits",
      "t15"."first_us",
      "t15"."last_us",
      "t15"."number",
      "t15"."overflow_key",
      "t15"."rest_key",
      "t15"."followed_to",
      "t15"."followed",
      "t15"."most",
      "t15"."level",
      "t15"."place",
      ROW_NUMBER() OVER (
        PARTITION BY "t15"."level", "t15"."place"
        ORDER BY "t15"."most" DESC, "t15"."followed_to" ASC
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) - 1 AS "rank",
      SUM("t15"."followed") OVER (
        PARTITION BY "t15"."level", "t15"."place"
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS "all_followed"
    FROM (
      SELECT
        "t4"."class_key",
        "t4"."visits",
        "t4"."first_us",
        "t4"."last_us",
        "t4"."number",
        "t4"."overflow_key",
        "t4"."rest_key",
        "t5"."followed_to",
        "t5"."followed",
        "t5"."most",
        CASE
          WHEN "t11"."itself" IS NOT NULL
          THEN 0
          WHEN "t13"."crowded" IS NOT NULL
          THEN 1
          ELSE 2
        END AS "level",
        CASE
          WHEN CASE
            WHEN "t11"."itself" IS NOT NULL
            THEN 0
            WHEN "t13"."crowded" IS NOT NULL
            THEN 1
            ELSE 2
          END = 0
          THEN "t4"."class_key"
          WHEN CASE
            WHEN "t11"."itself" IS NOT NULL
            THEN 0
            WHEN "t13"."crowded" IS NOT NULL
            THEN 1
            ELSE 2
          END = 1
          THEN "t4"."overflow_key"
          ELSE "t4"."rest_key"
        END AS "place"
      FROM "classes" AS "t4"
      INNER JOIN "redirect_target" AS "t5"
        ON "t4"."class_key" = "t5"."class_key"
      LEFT OUTER JOIN "t6" AS "t11"
        ON "t4"."class_key" = "t11"."class_key"
      LEFT OUTER JOIN "t7" AS "t13"
        ON "t4"."overflow_key" = "t13"."overflow_key"
    ) AS "t15"
  ) AS "t18"
  WHERE
    "t18"."rank" = 0
) AS "t20"
  ON "t17"."level" = "t20"."level" AND "t17"."place" = "t20"."place"

-- unanswered -> unanswered
SELECT
  COUNT(*) AS "value"
FROM (
  SELECT
    "t0"."page_key",
    "t0"."host_key",
    "t0"."status",
    (
      CAST("t0"."flags" AS INT) & 16
    ) = 16 AS "empty"
  FROM "line" AS "t0"
  WHERE
    "t0"."status" >= 200
    AND "t0"."status" < 300
    AND (
      CAST("t0"."flags" AS INT) & 16
    ) = 16
) AS "t1"

-- shown -> shown
SELECT
  "t1"."page_key",
  "t1"."host_key",
  "t1"."status",
  SUM(CASE WHEN "t1"."empty" THEN 0 ELSE 1 END) AS "filled"
FROM (
  SELECT
    "t0"."page_key",
    "t0"."host_key",
    "t0"."status",
    (
      CAST("t0"."flags" AS INT) & 16
    ) = 16 AS "empty"
  FROM "line" AS "t0"
  WHERE
    "t0"."status" >= 200 AND "t0"."status" < 300
) AS "t1"
GROUP BY
  1,
  2,
  3

-- bare -> bare
SELECT
  "t6"."pattern_key",
  "t6"."host_key",
  "t6"."status",
  1 AS "bare"
FROM (
  SELECT
    "t5"."pattern_key",
    "t5"."host_key",
    "t5"."status",
    SUM("t5"."filled") AS "filled"
  FROM (
    SELECT
      "t2"."page_key",
      "t2"."host_key",
      "t2"."status",
      "t2"."filled",
      "t4"."pattern_key"
    FROM "shown" AS "t2"
    INNER JOIN (
      SELECT
        "t1"."page_key",
        "t1"."pattern_key"
      FROM "page" AS "t1"
    ) AS "t4"
      ON "t2"."page_key" = "t4"."page_key"
  ) AS "t5"
  GROUP BY
    1,
    2,
    3
) AS "t6"
WHERE
  "t6"."filled" = 0

-- summed -> summed
SELECT
  "t5"."level",
  "t5"."place",
  "t5"."visits",
  "t5"."first_us",
  "t5"."last_us",
  "t5"."number",
  "t5"."followed_to",
  "t5"."class_id",
  "t5"."requests",
  "t15"."client_key",
  "t15"."agent_key",
  "t15"."host_key",
  "t15"."page_key",
  "t15"."status",
  "t11"."pattern_key",
  "t11"."method",
  "t11"."path",
  "t12"."period_s",
  "t12"."phase_s",
  "t12"."phase_spread_s",
  "t12"."coverage",
  "t12"."probers",
  (
    "t5"."level" < 2
  ) AND (
    "t7"."bare" IS NOT NULL
  ) AS "bare"
FROM "folded" AS "t5"
INNER JOIN (
  SELECT
    "t13"."number",
    "t13"."client_key",
    "t13"."agent_key",
    "t13"."host_key",
    "t13"."page_key",
    "t13"."status"
  FROM (
    SELECT
      "t4"."number",
      "t4"."client_key",
      "t4"."agent_key",
      "t4"."host_key",
      "t4"."page_key",
      "t4"."status"
    FROM "line" AS "t4"
  ) AS "t13"
  SEMI JOIN "folded" AS "t6"
    ON "t13"."number" = "t6"."number"
) AS "t15"
  ON "t5"."number" = "t15"."number"
INNER JOIN (
  SELECT
    "t2"."page_key",
    "t2"."pattern_key",
    "t2"."method",
    "t2"."path"
  FROM "page" AS "t2"
) AS "t11"
  ON "t15"."page_key" = "t11"."page_key"
LEFT OUTER JOIN (
  SELECT
    "t3"."class_key" AS "place",
    "t3"."period_s",
    "t3"."phase_s",
    "t3"."phase_spread_s",
    "t3"."coverage",
    "t3"."probers",
    0 AS "level"
  FROM "rhythm" AS "t3"
) AS "t12"
  ON "t5"."level" = "t12"."level" AND "t5"."place" = "t12"."place"
LEFT OUTER JOIN "bare" AS "t7"
  ON "t11"."pattern_key" = "t7"."pattern_key"
  AND "t15"."host_key" = "t7"."host_key"
  AND "t15"."status" = "t7"."status"

-- class_texts -> class_texts
SELECT
  "t10"."key",
  MIN("t10"."text") AS "text"
FROM (
  SELECT
    "t2"."key",
    "t2"."text"
  FROM "given" AS "t2"
  SEMI JOIN (
    SELECT DISTINCT
      *
    FROM (
      SELECT
        *
      FROM (
        SELECT
          *
        FROM (
          SELECT
            "t1"."client_key" AS "key"
          FROM "summed" AS "t1"
          WHERE
            "t1"."level" = 0
        ) AS "t5"
        UNION ALL
        SELECT
          *
        FROM (
          SELECT
            "t1"."agent_key" AS "key"
          FROM "summed" AS "t1"
          WHERE
            "t1"."level" <= 1
        ) AS "t4"
      ) AS "t6"
      UNION ALL
      SELECT
        *
      FROM (
        SELECT
          "t1"."host_key" AS "key"
        FROM "summed" AS "t1"
        WHERE
          "t1"."level" <= 1
      ) AS "t3"
    ) AS "t7"
  ) AS "t9"
    ON "t2"."key" = "t9"."key"
) AS "t10"
GROUP BY
  1

-- bins -> bins
SELECT
  *
FROM (
  SELECT
    "t9"."cell",
    COUNT(*) AS "visits"
  FROM (
    SELECT
      (
        CAST(COALESCE("t6"."own_id", "t7"."overflow_id", "t8"."rest_id") AS BIGINT) * 4294967296
      ) + CAST(FLOOR((
        "t2"."time_us"
      ) / (
        60000000
      )) AS BIGINT) AS "cell"
    FROM "visit" AS "t2"
    LEFT OUTER JOIN (
      SELECT
        "t1"."place" AS "class_key",
        "t1"."class_id" AS "own_id"
      FROM "folded" AS "t1"
      WHERE
        "t1"."level" = 0
    ) AS "t6"
      ON "t2"."class_key" = "t6"."class_key"
    LEFT OUTER JOIN (
      SELECT
        "t1"."place" AS "overflow_key",
        "t1"."class_id" AS "overflow_id"
      FROM "folded" AS "t1"
      WHERE
        "t1"."level" = 1
    ) AS "t7"
      ON "t2"."overflow_key" = "t7"."overflow_key"
    LEFT OUTER JOIN (
      SELECT
        CAST("t1"."place" AS INT) AS "rest_key",
        "t1"."class_id" AS "rest_id"
      FROM "folded" AS "t1"
      WHERE
        "t1"."level" = 2
    ) AS "t8"
      ON "t2"."rest_key" = "t8"."rest_key"
  ) AS "t9"
  GROUP BY
    1
) AS "t10"
ORDER BY
  "t10"."cell" ASC

-- busy -> busy
SELECT
  *
FROM (
  SELECT
    "t1"."block",
    COUNT(*) AS "visits",
    SUM("t1"."fine") AS "fine"
  FROM (
    SELECT
      CAST(FLOOR((
        "t0"."time_us"
      ) / (
        600000000
      )) AS BIGINT) AS "block",
      CASE WHEN (
        "t0"."time_us" % 1000000
      ) <> 0 THEN 1 ELSE 0 END AS "fine"
    FROM "visit" AS "t0"
  ) AS "t1"
  GROUP BY
    1
) AS "t2"
ORDER BY
  "t2"."block" ASC

-- started -> started
SELECT
  *
FROM (
  SELECT
    "t8"."time_us",
    "t8"."visitor_key",
    COALESCE("t9"."own_id", "t10"."overflow_id", "t11"."rest_id") AS "class_id"
  FROM (
    SELECT
      "t0"."class_key",
      "t0"."overflow_key",
      "t0"."rest_key",
      "t0"."visitor_key",
      "t0"."time_us",
      "t0"."number",
      CAST(FLOOR((
        "t0"."time_us"
      ) / (
        600000000
      )) AS BIGINT) AS "block"
    FROM "visit" AS "t0"
  ) AS "t8"
  SEMI JOIN "block" AS "t3"
    ON "t8"."block" = "t3"."block"
  LEFT OUTER JOIN (
    SELECT
      "t2"."place" AS "class_key",
      "t2"."class_id" AS "own_id"
    FROM "folded" AS "t2"
    WHERE
      "t2"."level" = 0
  ) AS "t9"
    ON "t8"."class_key" = "t9"."class_key"
  LEFT OUTER JOIN (
    SELECT
      "t2"."place" AS "overflow_key",
      "t2"."class_id" AS "overflow_id"
    FROM "folded" AS "t2"
    WHERE
      "t2"."level" = 1
  ) AS "t10"
    ON "t8"."overflow_key" = "t10"."overflow_key"
  LEFT OUTER JOIN (
    SELECT
      CAST("t2"."place" AS INT) AS "rest_key",
      "t2"."class_id" AS "rest_id"
    FROM "folded" AS "t2"
    WHERE
      "t2"."level" = 2
  ) AS "t11"
    ON "t8"."rest_key" = "t11"."rest_key"
) AS "t12"
ORDER BY
  "t12"."time_us" ASC,
  "t12"."class_id" ASC,
  "t12"."visitor_key" ASC
