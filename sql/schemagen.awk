# Turns the schema files into a C table of migrations, in the order given.
function quote(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); gsub(/\t/, "\\t", s); return s }
FNR == 1 {
	if (NR > 1)
		print "\t},"
	else
		print "/* Made by sql/schemagen.awk from sql/schema: do not edit. */\n" \
		    "#include \"core/migrate.h\"\n\nconst struct migration MIGRATIONS[] = {"
	n = split(FILENAME, path, "/")
	name = path[n]
	sub(/\.sql$/, "", name)
	print "\t{ \"" name "\","
}
{ sub(/^[ \t]*--.*/, ""); if (NF) print "\t\t\"" quote($0) "\\n\"" }
END { print "\t},\n\t{ NULL, NULL },\n};" }
