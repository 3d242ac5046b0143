/* Tables as spreadsheets (.xlsx). */
#ifndef FCGI_SHEET_H
#define FCGI_SHEET_H

#include "core/domain/table.h"

/* Writes what X gives to the file FD, which is empty: one sheet called NAME as far as sheets may be
 * called so, with a row of headers. */
enum rc sheet_write(struct table_export *x, const char *name, int fd);

#endif
