# schemas: the machine forms, for those who read them; installed beside the program. tests/schemas.sh holds the program to them.
schemadir = $(pkgdatadir)/schemas
dist_schema_DATA = \
	%D%/decision.schema.json \
	%D%/explain.schema.json \
	%D%/history.schema.json \
	%D%/pingate.schema.json \
	%D%/plan.schema.json \
	%D%/result.schema.json \
	%D%/scan.schema.json \
	%D%/status.schema.json
