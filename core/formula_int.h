/* The tree of a formula: made by formula_parse.c, worked out by formula_eval.c. */
#ifndef CORE_FORMULA_INT_H
#define CORE_FORMULA_INT_H

#include "core/formula.h"

enum op {
	OP_NONE, OP_EQ, OP_NE, OP_GT, OP_GE, OP_LT, OP_LE, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD,
};

enum node_kind {
	NODE_VALUE, /* value */
	NODE_REF,   /* the reference of number ref */
	NODE_NEG,   /* of its only child */
	NODE_CHAIN, /* children joined from left to right, each but the first by its op */
	NODE_CALL,  /* of the function name with the children */
};

struct node {
	enum node_kind kind;
	enum op op; /* that joins this child of a chain to what stands before it */
	struct cell value;
	size_t ref;
	const char *name; /* in lower case */
	struct node *first, *next;
};

struct name_list {
	const char **names;
	size_t n, room;
};

struct formula {
	struct node *root;
	struct name_list refs, columns;
};

/* The number of a function that aggregates a column; -1 for all others. */
int formula_aggregate(const char *name);

#endif
