# Turns named statements (sql/q/*.sql) into an enum and a table.
#   awk -v what=h|c -f stmtgen.awk FILES...
# A statement begins with "-- name: NAME" and ends with ";" at a line's end. Other comments are
# dropped. @model or @model(alias) stands for the model's columns and is expanded by the program.
# "-- define: NAME" begins a piece that later statements of the file use as $NAME.
/^-- name: / { name = $3; define = 0; sql = ""; next }
/^-- define: / { name = $3; define = 1; sql = ""; next }
/^[ \t]*--/ { next }
name != "" && NF {
	gsub(/^[ \t]+|[ \t]+$/, "")
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	sql = sql (sql == "" ? "" : " ") $0
	if (sql ~ /;$/) {
		sub(/;$/, "", sql)
		for (d in pieces)
			gsub("[$]" d, pieces[d], sql)
		if (define) {
			pieces[name] = sql
			name = ""
			next
		}
		if (name in seen) {
			print "stmtgen: " name " is defined twice" > "/dev/stderr"
			exit 1
		}
		seen[name] = 1
		names[++n] = name
		texts[n] = sql
		name = ""
	}
}
END {
	print "/* Made by sql/stmtgen.awk from sql/q: do not edit. */"
	if (what == "h") {
		print "#ifndef CORE_STMT_GEN_H\n#define CORE_STMT_GEN_H\n\nenum stmt {"
		for (i = 1; i <= n; i++)
			print "\tQ_" names[i] ","
		print "\tQ_COUNT\n};\n\n#endif"
	} else {
		print "#include \"core/db.h\"\n\nconst struct stmt_text STMT_TEXTS[Q_COUNT] = {"
		for (i = 1; i <= n; i++)
			print "\t[Q_" names[i] "] = { \"" names[i] "\", \"" texts[i] "\" },"
		print "};"
	}
}
