/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * option - everything the subcommands can be told: a row of one table each, for command line, file and help.
 *
 * option.c has the table, option_value.c what a value of each kind may be; option_parse.c reads the command line and prints the help,
 * option_file.c reads the file.
 */
#ifndef COMMAND_OPTION_H
#define COMMAND_OPTION_H

#include "asking/question.h"
#include "daemon/options.h"
#include "playback/settings.h"
#include "ruleset/request.h"

#include <stddef.h>
#include <stdio.h>

#define OPTION_ROWS_MAX 64

#define OPTION_OUT_MAX 4096 /* the kernel's limit on a path, with its NUL */

/* Which subcommands take an option: a bit each. */
#define OPTION_OF_RUN	       (1u << 0)
#define OPTION_OF_RULES	       (1u << 1)
#define OPTION_OF_REPLAY       (1u << 2)
#define OPTION_OF_CHECK	       (1u << 3)
#define OPTION_OF_EXPLAIN      (1u << 4)
#define OPTION_OF_STATUS       (1u << 8)
#define OPTION_OF_SESSIONS     (1u << 9)
#define OPTION_OF_EXPECTATIONS (1u << 10)
#define OPTION_OF_FOLLOW       (1u << 11)
#define OPTION_OF_METRICS      (1u << 12)
#define OPTION_OF_TOP	       (1u << 13)
/* Those that read a capture, which is no option. */
#define OPTION_OF_PLAYBACK (OPTION_OF_REPLAY | OPTION_OF_EXPLAIN)
/* Those that ask the daemon; of these, those that tell of sessions. */
#define OPTION_OF_FILTERED (OPTION_OF_SESSIONS | OPTION_OF_EXPECTATIONS | OPTION_OF_TOP)
#define OPTION_OF_ASKING   (OPTION_OF_STATUS | OPTION_OF_FILTERED | OPTION_OF_FOLLOW | OPTION_OF_METRICS)
#define OPTION_OF_ALL                                                                                                  \
	(OPTION_OF_RUN | OPTION_OF_RULES | OPTION_OF_REPLAY | OPTION_OF_CHECK | OPTION_OF_EXPLAIN | OPTION_OF_ASKING)

/* Where all of it is stored. A subcommand's options that it has in common with another are one member. */
struct option_values {
	bool help;
	bool json;
	const char *operand; /* what is no option: replay's or explain's capture. Of argv */

	struct options run;		  /* `attach' is of rules, too; policy.loose and .foreign of replay */
	char file[OPTIONS_PATH_MAX];	  /* -c, or the usual one; "": none */
	char from_root[OPTIONS_PATH_MAX]; /* the same, where its name begins elsewhere */
	int line[OPTION_ROWS_MAX]; /* of it, where each row stands first; 0: the file does not say it, or the command line does */
	bool test_config;
	bool rules;
	unsigned int verbose;

	struct request request; /* but `attach'. Its ports are check's, too; it names the file here, and the backend */
	unsigned int backend;	/* an index of backends[]; BACKENDS: none is named */
	bool apply;
	bool remove;

	struct playback_settings playback;
	char out[OPTION_OUT_MAX];     /* "": nothing is to be written */
	char picture[OPTION_OUT_MAX]; /* explain's. "": to standard output */
	unsigned int format;	      /* enum format */
	struct network live;	      /* explain's: of which clients or servers. Family 0: it reads a capture */
	uint32_t live_seconds;	      /* 0: as long as they go on */

	char textfile[OPTION_OUT_MAX]; /* "": none */
	struct filter filter;	       /* which sessions are asked for */
};

/* What a value may be, and what is stored: struct option_values has that type there. */
enum option_kind {
	OPTION_FLAG,	   /* bool; no value on the command line, yes or no in a file */
	OPTION_COUNT,	   /* unsigned int: how often it is given; in a file the number */
	OPTION_NUMBER,	   /* uint16_t, uint32_t, int32_t */
	OPTION_WORD,	   /* an enum: the word's index */
	OPTION_PATH,	   /* char[] */
	OPTION_HELPER,	   /* char[]: a conntrack helper's name */
	OPTION_GROUP,	   /* char[]: a group's name */
	OPTION_USER,	   /* char[]: a user's name, or number */
	OPTION_QUEUES,	   /* struct queue_range */
	OPTION_MARK,	   /* struct attach: mark and mark_mask */
	OPTION_PORT_RANGE, /* struct policy: port_low and port_high */
	OPTION_NETWORKS,   /* struct policy: exempt and exempt_count; each one given adds some */
	OPTION_LOOSE,	   /* struct policy_loose: each one given adds some */
	OPTION_PORTS,	   /* struct ports: count and port */
	OPTION_PORT_SET,   /* uint8_t[65536 / 8]: each one given adds some */
	OPTION_INTERFACES, /* struct request: interface_count and interfaces */
	OPTION_NETWORK,	   /* struct network: one */
	OPTION_NAT,	   /* struct nat: each one given adds one */
	OPTION_KINDS,
};

struct option_row {
	const char *name;     /* of the long option, and the key in a file */
	const char *argument; /* its value's name in the help; NULL: it takes none on the command line */
	unsigned int commands;
	enum option_kind kind;
	size_t at; /* in struct option_values: bytes that no other row has */
	size_t size;
	uint32_t low, high; /* numbers within the value */
	unsigned int most;  /* how many there may be; 0: there is no limit */
	char letter;	    /* of the short option; 0: there is none */
	bool command_line_only;
	bool live;		  /* SIGHUP changes it, in a daemon that runs */
	bool rules_only;	  /* nothing but the rules is made of it */
	bool optional;		  /* its argument: without one it is "yes" */
	const char *const *words; /* kind WORD: NULL behind the last */
	const char *help;
};

/* The table. */
extern const struct option_row option_rows[];
extern const unsigned int option_row_count;

/* The first row behind @row that one of the @commands' subcommands takes, or where that is NULL the first of all; NULL: there is none. */
const struct option_row *option_next(unsigned int commands, const struct option_row *row);

/* The row of this name that the @commands' one subcommand takes; NULL: there is none. */
const struct option_row *option_find(unsigned int commands, const char *name);

/* What holds where nothing is said. */
void option_default(struct option_values *values);

/**
 * option_set - store a value
 * @row: of which option
 * @values: where. Of a value that is not allowed some may have been stored
 * @text: the value; "yes" where none is given
 * @first: nothing has been stored for this row by whoever speaks: what was there is not added to
 *
 * Return: whether it is allowed.
 */
bool option_set(const struct option_row *row, struct option_values *values, const char *text, bool first);

/* Where some has been stored for @row by whoever speaks: does @text say that there is none, or the other way round? */
bool option_contradicts(const struct option_row *row, const struct option_values *values, const char *text);

/* May the file have it more than once, where each adds some? (A line of it has few bytes.) */
bool option_repeats(const struct option_row *row);

/* Do both say the same of @row? */
bool option_same(const struct option_row *row, const struct option_values *a, const struct option_values *b);

/* Behind an option that may do without a value: is this one? Not what an operand may be called. */
bool option_is_value(const char *text);

#define OPTION_SAID_MAX (OPTIONS_PATH_MAX + 80)

/**
 * option_said - how a sentence begins that says that a value is not possible: it goes on with "is not possible: ..."
 * @values: whose it is
 * @name: of run's option
 * @value: of less than 34 letters
 * @text: filled in: "FILE:LINE: NAME: VALUE: this", like all that is said of the file, or "--NAME VALUE"
 *
 * Return: @text.
 */
const char *option_said(const struct option_values *values, const char *name, const char *value,
			char text[OPTION_SAID_MAX]);

/* The number that is stored for @row. Return: false: it is no number, or none of those allowed (none was given). */
bool option_number(const struct option_row *row, const struct option_values *values, uint32_t *number);

#define OPTION_ALLOWED_MAX 256

/* The end of the sentence "it takes ...". Return: @text. */
const char *option_allowed(const struct option_row *row, char text[OPTION_ALLOWED_MAX]);

/* What of a subcommand's help is not in the table. */
struct option_page {
	unsigned int command; /* its bit */
	const char *operand;  /* what it takes besides options, one of it; NULL: nothing */
	bool (*no_operand)(const struct option_values *values); /* NULL, or: does it take none with these options? */
	const char *about;
	const char *end;
	bool reads_file; /* the file is its affair, but for --remove: what is taken away is found where it is, whatever fault a file has */
	void (*complain)(const char *sentence); /* NULL: on standard error */
};

#define OPTION_COMPLAINT_MAX 768

/* Tell whoever hears it, in one sentence. */
void option_complain(const struct option_page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Not one of the exit codes. */
#define OPTION_GO_ON (-1)

/**
 * option_read - read the command line, and the file: the one it names, or the usual one where it is there
 * @page: the subcommand's
 * @values: filled in
 * @argc: as main()'s
 * @argv: likewise, from the subcommand's name on
 *
 * What is wrong is told, in a sentence each.
 *
 * Return: OPTION_GO_ON, or the exit code to end with.
 */
int option_read(const struct option_page *page, struct option_values *values, int argc, char **argv);

/* The same, and --help is answered at once. */
int option_parse(const struct option_page *page, struct option_values *values, int argc, char **argv);

/* `@name --help'. */
void option_print_help(const struct option_page *page, const char *name, FILE *out);

/* ---- the configuration file: `NAME = VALUE' lines with the names of run's long options, whichever subcommand reads it ---- */

/* So many faults of a file are told one by one, and the others counted. */
#define OPTION_FILE_FAULTS 50

/* Where it is when nobody names another: Makefile's sysconfdir. A variable for tests. */
extern const char *option_file_usual;

/**
 * option_file_read - read and check a file
 * @page: who hears what is wrong, each fault as a sentence of its own: "FILE:LINE: NAME: VALUE: what is wrong, and what would be right"
 * @values: what it says is stored there
 * @path: of a regular file that belongs to root or the program's user, and to which nobody else may write
 *
 * Return: OPTION_GO_ON, or the exit code to end with.
 */
int option_file_read(const struct option_page *page, struct option_values *values, const char *path);

#endif
