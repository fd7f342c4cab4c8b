"""What a guarded query may be made of: syntax nodes and functions, by allow-list. A name that is not here is refused.

Lists hold what computes a value from its arguments and nothing else. Left out on purpose: everything that reads files,
settings, the clock's owner (users, roles, versions) or the network, that writes, sleeps, locks, or runs text as SQL.
Not here: the rules themselves (`guard.py`) and names of tables and columns (`guard_names.py`).
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NODES = _words("""
    Select Union Except Intersect Subquery Values With CTE RecursiveWithSearch Table TableAlias From Join Lateral
    Where Group Having Qualify Order Ordered Limit LimitOptions Offset Fetch Distinct Cluster Sort Distribute
    Connect Prior Cube Rollup GroupingSets Window WindowSpec Filter WithinGroup IgnoreNulls RespectNulls HavingMax
    Pivot PivotAlias PivotAny UnpivotColumns TableSample Column Identifier Star Alias Aliases PositionalColumn
    Pseudocolumn Dot Bracket Slice Literal Boolean Null National RawString ByteString BitString HexString
    UnicodeString Var Paren Tuple Add Sub Mul Div IntDiv Mod Neg DPipe EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ
    Is In Between Like ILike SimilarTo Glob Match Escape Not Any All BitwiseAnd BitwiseOr BitwiseXor BitwiseNot
    BitwiseLeftShift BitwiseRightShift Overlaps Adjacent Distance ExtendsLeft ExtendsRight Interval IntervalSpan
    DataType DataTypeParam ColumnDef AtTimeZone FromTimeZone CharacterSet TranslateCharacters Lambda Kwarg
    PropertyEQ Comprehension Variadic OverflowTruncateBehavior JSON JSONKeyValue JSONColumnDef JSONSchema
    JSONExtractQuote JSONValue FormatJson OnCondition OpenJSONColumnDef JSONPath JSONPathFilter JSONPathKey
    JSONPathPart JSONPathRecursive JSONPathRoot JSONPathScript JSONPathSelector JSONPathSlice JSONPathSubscript
    JSONPathUnion JSONPathWildcard XMLNamespace
""")
"""Class names of sqlglot's nodes that are not functions."""

WRITING_NODES = _words("""
    Insert Update Delete Merge Into Create Drop Alter TruncateTable Copy LoadData Lock Returning Command Set Export
    Attach Detach Pragma Use Kill Grant Revoke Transaction Commit Rollback Analyze Comment Cache Uncache Refresh
    Execute ExecuteSql Install Put Get Declare Block ConditionalInsert MultitableInserts
""")
PARAMETER_NODES = _words("Placeholder Parameter SessionParameter")
HINT_NODES = _words("Hint JoinHint IndexTableHint WithTableHint QueryOption")

TYPED = _words("""
    And Or Xor Not Case If Coalesce Nullif Nvl2 Nanvl Greatest Least Exists Cast TryCast Try Convert JSONCast
    Booland Boolor Boolnot BoolxorAgg EqualNull IsNullValue Typeof Collate Columns Decode DecodeCase Elt Count
    CountIf Sum Avg Min Max Median Mode AnyValue First Last ArgMax ArgMin ArrayAgg ArrayConcatAgg ArrayUnionAgg
    ArrayUniqueAgg GroupConcat Stddev StddevPop StddevSamp Variance VariancePop Corr CovarPop CovarSamp Kurtosis
    Skewness RegrAvgx RegrAvgy RegrCount RegrIntercept RegrR2 RegrSlope RegrSxx RegrSxy RegrSyy RegrValx RegrValy
    PercentileCont PercentileDisc Quantile ApproxDistinct ApproxQuantile ApproxQuantiles ApproxTopK ApproxTopSum Hll
    LogicalAnd LogicalOr BitwiseAndAgg BitwiseOrAgg BitwiseXorAgg BitwiseCount HashAgg Grouping GroupingId
    JSONArrayAgg JSONObjectAgg JSONBObjectAgg ObjectAgg RowNumber Rank DenseRank PercentRank CumeDist Ntile Lag Lead
    FirstValue LastValue NthValue WidthBucket Abs Ceil Floor Round Trunc Sign Sqrt Cbrt Exp Ln Log Pow Factorial Pi
    Degrees Radians Rint Int64 Float64 Sin Cos Tan Asin Acos Atan Atan2 Cot Coth Csc Csch Sec Sech Sinh Cosh Tanh
    Asinh Acosh Atanh SafeAdd SafeDivide SafeMultiply SafeNegate SafeSubtract Negative IsInf IsNan Rand Randn
    Uniform Normal Uuid RangeBucket Lower Upper Initcap Length ByteLength BitLength Concat ConcatWs Substring
    SubstringIndex Left Right Trim Pad Repeat Replace Reverse Split SplitPart StrPosition Contains StartsWith
    EndsWith Translate Ascii Chr Unicode Space Stuff Overlay Soundex Levenshtein JarowinklerSimilarity Format
    Normalize StringToArray Strtok StrtokToArray IsAscii RtrimmedLength Encode Hex LowerHex Unhex ToBase64
    FromBase64 FromBase MD5 MD5Digest SHA SHA1Digest SHA2 SHA2Digest CodePointsToString ToCodePoints String
    WeightString RegexpLike RegexpILike RegexpExtract RegexpExtractAll RegexpReplace RegexpSplit RegexpInstr
    RegexpCount RegexpFullMatch RegexpSubstr MatchAgainst CurrentDate CurrentTime CurrentTimestamp
    CurrentTimestampLTZ CurrentDatetime CurrentTimezone Localtime Localtimestamp Systimestamp UtcDate UtcTime
    UtcTimestamp Date Datetime Time Timestamp DateAdd DateSub DateDiff DateTrunc DateBin DateFromParts
    DateFromUnixDate DateStrToDate DateToDateStr DateToDi DiToDate DatetimeAdd DatetimeSub DatetimeDiff
    DatetimeTrunc TimeAdd TimeSub TimeDiff TimeTrunc TimestampAdd TimestampSub TimestampDiff TimestampTrunc
    TimestampFromParts TimestampLtzFromParts TimestampTzFromParts TimeFromParts TimeSlice TimeStrToDate
    TimeStrToTime TimeStrToUnix TimeToStr TimeToTimeStr TimeToUnix StrToDate StrToTime StrToUnix UnixToStr
    UnixToTime UnixToTimeStr UnixDate UnixSeconds UnixMillis UnixMicros TsOrDiToDi TsOrDsAdd TsOrDsDiff TsOrDsToDate
    TsOrDsToDateStr TsOrDsToDatetime TsOrDsToTime TsOrDsToTimestamp ParseTime ParseDatetime FromISO8601Date
    FromISO8601Timestamp FromISO8601TimestampNanos ConvertTimezone Extract Year Quarter Month Week Day Hour Minute
    Second DayOfMonth DayOfWeek DayOfWeekIso DayOfYear WeekOfYear WeekStart YearOfWeek YearOfWeekIso Dayname
    Monthname LastDay NextDay PreviousDay AddMonths MonthsBetween ToDays MakeInterval JustifyDays JustifyHours
    JustifyInterval ToChar ToNumber NumberToStr ToDouble ToBoolean ToArray ToBinary ParseNumeric ParseBignumeric
    Array ArrayAll ArrayAny ArrayAppend ArrayCompact ArrayConcat ArrayConstructCompact ArrayContainedBy
    ArrayContains ArrayContainsAll ArrayDistinct ArrayExcept ArrayFilter ArrayFirst ArrayInsert ArrayIntersect
    ArrayLast ArrayMax ArrayMin ArrayOverlaps ArrayPosition ArrayPrepend ArrayRemove ArrayRemoveAt ArrayReverse
    ArraySize ArraySlice ArraySort ArraySum ArrayToString ArraysZip Transform Reduce Apply List Flatten Explode
    ExplodingGenerateSeries Posexplode PosexplodeOuter Inline Unnest GenerateSeries GenerateDateArray
    GenerateTimestampArray Struct StructExtract Map VarMap MapCat MapContainsKey MapDelete MapFromEntries MapInsert
    MapKeys MapPick MapSize StarMap StrToMap ToMap ObjectInsert ParseJSON JSONArray JSONArrayAppend
    JSONArrayContains JSONArrayInsert JSONBContains JSONBContainsAllTopKeys JSONBContainsAnyTopKeys
    JSONBContainsTopKey JSONBDeleteAtPath JSONBExists JSONBExtract JSONBExtractScalar JSONBPathExists JSONBool
    JSONExists JSONExtract JSONExtractArray JSONExtractScalar JSONFormat JSONKeys JSONObject JSONRemove JSONSet
    JSONStripNulls JSONTable JSONType JSONValueArray CheckJson LaxBool LaxFloat64 LaxInt64 LaxString FromJson
    OpenJSON GetExtract Getbit Base64Encode Base64DecodeString Base64DecodeBinary CosineDistance DotProduct
    EuclideanDistance ManhattanDistance StDistance StPoint XMLElement XMLGet XMLTable
""")
"""Class names of sqlglot's functions that are pure, or differ from pure only by the time or by chance."""

TYPED_TABLES = _words("""
    GenerateSeries ExplodingGenerateSeries Unnest Explode Posexplode PosexplodeOuter Flatten Inline JSONTable
    OpenJSON XMLTable GenerateDateArray GenerateTimestampArray
""")
"""Of those, the ones that may stand where a table stands."""

_EVERYWHERE = """
    abs acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh cot degrees exp floor greatest least ln log
    log10 log1p log2 mod pi pow power radians random rand round sign sin sinh sqrt square tan tanh trunc truncate
    ascii bit_length btrim char char_length character_length charindex chr concat concat_ws format glob hex initcap
    insert instr lcase left len length like locate lower lpad ltrim nchar octet_length position printf quote repeat
    replace replicate reverse right rpad rtrim soundex space split_part strpos substr substring translate trim ucase
    unhex unicode unistr upper coalesce decode iif ifnull isnull nullif nvl nvl2 typeof age date date_add date_diff
    date_format date_part date_sub date_trunc dateadd datediff datename datepart datetime day dayname dayofmonth
    dayofweek dayofyear hour julianday last_day localtime localtimestamp microsecond minute month monthname now
    quarter second strftime time timediff timestamp to_char to_date to_number to_timestamp unixepoch week weekday
    year any_value approx_count_distinct array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop
    covar_samp every group_concat json_agg json_arrayagg json_objectagg listagg max median min mode percentile_cont
    percentile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
    stddev stddev_pop stddev_samp std stdev stdevp string_agg sum total var_pop var_samp variance var varp cume_dist
    dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number json json_array
    json_array_length json_contains json_extract json_group_array json_group_object json_insert json_keys
    json_length json_object json_patch json_quote json_remove json_replace json_set json_type json_valid json_value
"""

_SQLITE = """
    likelihood likely unlikely randomblob zeroblob subtype bm25 highlight snippet ->> -> json_error_position
    json_pretty jsonb jsonb_array jsonb_extract jsonb_group_array jsonb_group_object jsonb_insert jsonb_object
    jsonb_patch jsonb_remove jsonb_replace jsonb_set octet_length string_agg if substring sum median percentile
    percentile_cont percentile_disc
"""

_DUCKDB = """
    add ago alias apply arbitrary array_concat array_append array_apply array_aggr array_aggregate array_cat
    array_contains array_cosine_distance array_cosine_similarity array_cross_product array_distance array_distinct
    array_dot_product array_extract array_filter array_grade_up array_has array_has_all array_has_any array_indexof
    array_inner_product array_intersect array_length array_negative_dot_product array_negative_inner_product
    array_pop_back array_pop_front array_position array_prepend array_push_back array_push_front array_reduce
    array_resize array_reverse array_reverse_sort array_select array_slice array_sort array_to_json array_to_string
    array_transform array_unique array_value array_where array_zip arg_max arg_max_null arg_max_nulls_last arg_min
    arg_min_null arg_min_nulls_last argmax argmin approx_quantile approx_top_k bar base64 bin bit_count bit_position
    bitstring bitstring_agg cardinality cbrt century contains count_if count_star countif damerau_levenshtein
    datesub datetrunc date_sub datetime decade days_in_month divide editdist3 element_at encode ends_with entropy
    enum_code enum_first enum_last enum_range enum_range_boundary epoch epoch_ms epoch_ns epoch_us equi_width_bins
    era even factorial favg fdiv filter first flatten fmod format formatreadabledecimalsize formatreadablesize
    format_bytes from_base64 from_binary from_hex from_json from_json_strict fsum gamma gcd gen_random_uuid
    generate_series generate_subscripts geomean geometric_mean get_bit get_current_time get_current_timestamp
    grade_up greatest_common_divisor hamming hash histogram histogram_exact ilike_escape if is_histogram_other_bin
    isfinite isinf isnan isodow isoyear jaccard jaro_similarity jaro_winkler_similarity json_deep_merge json_exists
    json_extract_path json_extract_path_text json_extract_string json_group_structure json_merge_patch
    json_normalize json_pretty json_strip_nulls json_structure json_transform json_transform_strict julian kahan_sum
    kurtosis kurtosis_pop last lcm least_common_multiple left_grapheme length_grapheme levenshtein lgamma
    like_escape list list_aggr list_aggregate list_any_value list_append list_apply list_approx_count_distinct
    list_avg list_bit_and list_bit_or list_bit_xor list_bool_and list_bool_or list_cat list_concat list_contains
    list_cosine_distance list_cosine_similarity list_count list_distance list_distinct list_dot_product list_element
    list_entropy list_extract list_filter list_first list_grade_up list_has list_has_all list_has_any list_histogram
    list_indexof list_inner_product list_intersect list_kurtosis list_kurtosis_pop list_last list_mad list_max
    list_median list_min list_mode list_negative_dot_product list_negative_inner_product list_pack list_position
    list_prepend list_product list_reduce list_resize list_reverse list_reverse_sort list_select list_sem
    list_skewness list_slice list_sort list_stddev_pop list_stddev_samp list_string_agg list_sum list_transform
    list_unique list_value list_var_pop list_var_samp list_where list_zip lttb mad make_date make_time
    make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz map map_concat map_contains
    map_contains_entry map_contains_value map_entries map_extract map_extract_value map_from_entries map_keys
    map_values max_by md5 md5_number mean millennium millisecond min_by mismatches multiply nanosecond nextafter
    nfc_normalize normalized_interval not_ilike_escape not_like_escape ord overlay parse_dirname parse_dirpath
    parse_filename parse_formatted_bytes parse_path pg_size_pretty pg_typeof prefix product quantile quantile_cont
    quantile_disc range reduce regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches
    regexp_replace regexp_split_to_array regexp_split_to_table reservoir_quantile right_grapheme round_even
    roundbankers row row_to_json sem set_bit sha1 sha256 signbit skewness split starts_with stats str_split
    str_split_regex string_split string_split_regex string_to_array strip_accents strlen strptime struct_concat
    struct_contains struct_extract struct_extract_at struct_has struct_indexof struct_insert struct_keys struct_pack
    struct_position struct_update struct_values substring_grapheme subtract suffix sum_no_overflow sumkahan switch
    time_bucket timezone timezone_hour timezone_minute to_base to_base64 to_binary to_centuries to_days to_decades
    to_hex to_hours to_json to_microseconds to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds
    to_weeks to_years today transaction_timestamp try_strptime unbin union_extract union_tag union_value unnest
    url_decode url_encode uuid uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 wavg weekofyear
    weighted_avg xor yearweek
"""

_POSTGRES = """
    acosd asind atand atan2d cosd cotd sind tand area array_append array_cat array_dims array_fill array_length
    array_lower array_ndims array_position array_positions array_prepend array_remove array_replace array_reverse
    array_sample array_shuffle array_sort array_to_json array_to_string array_upper bit_count box bpchar broadcast
    cardinality casefold cbrt center circle clock_timestamp convert_from convert_to crc32 crc32c date_bin
    date_subtract daterange diagonal diameter div encode enum_first enum_last enum_range erf erfc extract factorial
    family gamma gcd gen_random_uuid generate_series generate_subscripts get_bit get_byte height host hostmask
    inet_merge inet_same_family int4multirange int4range int8multirange int8range isclosed isempty isfinite
    ishorizontal isopen isparallel isperp isvertical json_agg_strict json_array_elements json_array_elements_text
    json_build_array json_build_object json_each json_each_text json_extract_path json_extract_path_text
    json_object_agg json_object_agg_strict json_object_agg_unique json_object_keys json_populate_record
    json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_typeof jsonb_agg jsonb_agg_strict
    jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object
    jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_agg
    jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz
    jsonb_path_match jsonb_path_match_tz jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz
    jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record
    jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record
    jsonb_to_recordset jsonb_typeof justify_days justify_hours justify_interval lcm lgamma line lower_inc lower_inf
    lseg make_date make_interval make_time make_timestamp make_timestamptz masklen md5 min_scale money multirange
    netmask network normalize npoints num_nonnulls num_nulls numeric nummultirange numnode numrange overlaps overlay
    path pclose pg_size_pretty pg_typeof phraseto_tsquery plainto_tsquery point polygon popen quote_ident
    quote_literal quote_nullable radius range_agg range_intersect_agg range_merge regexp_count regexp_instr
    regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr
    row row_to_json scale set_bit set_byte set_masklen setweight sha224 sha256 sha384 sha512 slope sqrt
    statement_timestamp string_to_array string_to_table strip text timeofday timezone to_ascii to_bin to_hex to_json
    to_jsonb to_oct to_tsquery to_tsvector transaction_timestamp trim_array trim_scale ts_delete ts_filter
    ts_headline ts_rank ts_rank_cd tsmultirange tsquery_phrase tsrange tstzmultirange tstzrange tsvector_to_array
    unnest upper_inc upper_inf uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 websearch_to_tsquery width
    width_bucket xmlagg xmlcomment xmlexists xmlforest xmltext xpath xpath_exists similarity word_similarity
    unaccent st_area st_asgeojson st_astext st_buffer st_centroid st_contains st_distance st_dwithin st_geomfromtext
    st_intersects st_length st_makepoint st_setsrid st_transform st_within st_x st_y time_bucket
"""

_MYSQL = """
    addtime adddate subdate subtime bin bit_count char_length conv convert_tz crc32 curdate curtime elt export_set
    field find_in_set from_base64 from_days from_unixtime get_format if inet_aton inet_ntoa inet6_aton inet6_ntoa
    json_array_append json_array_insert json_contains_path json_depth json_merge_patch json_merge_preserve
    json_overlaps json_pretty json_schema_valid json_search json_storage_size json_unquote json_compact
    json_detailed json_loose json_exists json_query make_set makedate maketime md5 mid oct ord period_add
    period_diff regexp_instr regexp_like regexp_replace regexp_substr sec_to_time sha sha1 sha2 str_to_date strcmp
    substring_index sysdate time_format time_to_sec timestampadd timestampdiff to_base64 to_days to_seconds
    unix_timestamp utc_date utc_time utc_timestamp uuid values weekofyear yearweek st_distance st_distance_sphere
    st_x st_y st_astext bit_xor grouping natural_sort_key
"""

_OTHER = """
    array_append array_cat array_concat array_construct array_contains array_distinct array_join array_length
    array_size array_slice array_sort array_to_string bitand bitor bitxor cbrt choose convert count_big countif
    datefromparts datediff_big datetimefromparts div0 element_at eomonth filter format_date format_datetime
    format_timestamp from_unixtime generate_array generate_date_array get get_json_object get_path getdate
    getutcdate hash if initcap insert isnumeric json_extract_array json_extract_scalar json_query json_value
    last_day log1p md5 months_between nvl object_construct parse_date parse_datetime parse_json parse_timestamp
    patindex ratio_to_report regexp_contains regexp_count regexp_extract regexp_extract_all regexp_instr regexp_like
    regexp_replace regexp_substr safe_cast safe_divide sequence sha1 sha2 sha256 size slice split str string_split
    stuff sysdate sysdatetime sysutcdatetime timefromparts timestamp_add timestamp_diff timestamp_micros
    timestamp_millis timestamp_seconds timestamp_sub timestamp_trunc to_decimal to_double to_json_string to_varchar
    transform trunc try_cast try_convert try_to_date try_to_number try_to_timestamp unix_timestamp zeroifnull
"""

_ANONYMOUS: dict[str, frozenset[str]] = {
    "sqlite": _words(_EVERYWHERE + _SQLITE),
    "duckdb": _words(_EVERYWHERE + _DUCKDB),
    "postgres": _words(_EVERYWHERE + _POSTGRES),
    "mysql": _words(_EVERYWHERE + _MYSQL),
}
_ANONYMOUS_OTHER = _words(_EVERYWHERE + _OTHER)

_TABLES: dict[str, frozenset[str]] = {
    "sqlite": _words("json_each json_tree jsonb_each jsonb_tree generate_series"),
    "duckdb": _words("json_each json_tree generate_series range unnest regexp_split_to_table"),
    "postgres": _words("""
    generate_series generate_subscripts unnest json_array_elements json_array_elements_text json_each json_each_text
    json_object_keys json_populate_record json_populate_recordset json_to_record json_to_recordset
    jsonb_array_elements jsonb_array_elements_text jsonb_each jsonb_each_text jsonb_object_keys jsonb_path_query
    jsonb_populate_record jsonb_populate_recordset jsonb_to_record jsonb_to_recordset regexp_matches
    regexp_split_to_table string_to_table
"""),
    "mysql": _words("json_table"),
}
_TABLES_OTHER = _words("unnest generate_series flatten split_to_table string_split openjson sequence explode")

_FAMILY = {"mariadb": "mysql", "redshift": "postgres", "materialize": "postgres", "risingwave": "postgres"}

SESSION_WORDS = _words("user current_user session_user system_user current_role current_catalog current_schema")
"""Words that some engines read as functions although they look like columns."""

FILE_FUNCTION = re.compile(
    r"^(read_|sniff_|glob$|.*_scan$|.*_scan_dumb$|parquet_|pg_read|pg_ls|load_file|readfile|iceberg|delta)"
)
"""Names of functions that reach for files: refused like all that are not listed, but with a clearer reason."""

SIZE_FUNCTIONS = _words("repeat replicate rpad lpad pad space zeroblob randomblob array_fill list_resize array_resize")
"""Functions whose result is as large as one of their arguments says."""


def family(dialect: str) -> str:
    """The dialect whose lists apply."""
    return _FAMILY.get(dialect, dialect)


def anonymous(dialect: str) -> frozenset[str]:
    """Lower-case names of functions that sqlglot does not know by class and that a query of this dialect may call."""
    return _ANONYMOUS.get(family(dialect), _ANONYMOUS_OTHER)


def table_functions(dialect: str) -> frozenset[str]:
    """Lower-case names of functions that a query of this dialect may use as a table."""
    return _TABLES.get(family(dialect), _TABLES_OTHER)
