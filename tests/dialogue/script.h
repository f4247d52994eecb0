/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script - what two ends say to each other, in order, and which data connections they open: made from a seed (generate.h), played
 * through the engine (play.h), or printed as a case of tests/field.
 *
 * The ends and the router between them are one of the worlds below. A script knows what was promised: the ports that an end has truly
 * announced. Nothing else may ever be opened, whatever is said.
 */
#ifndef DIALOGUE_SCRIPT_H
#define DIALOGUE_SCRIPT_H

#include "core/wire/endpoint.h"

#include <stdbool.h>
#include <stdint.h>

#define SCRIPT_STEPS	 512
#define SCRIPT_TEXT	 32768
#define SCRIPT_PROMISES	 64
#define SCRIPT_TALK_PORT 21

enum side { CLIENT, SERVER }; /* as enum direction */

enum world { PLAIN, MASQUERADED, DNATED, WORLDS };

/* What may open, whatever is said. */
enum allowed {
	ALLOWED_PROMISED, /* the ports that were truly announced */
	ALLOWED_SERVERS,  /* any of the server's: it lies, and may say where it listens */
	ALLOWED_NOTHING,
};

/* Each is of a kind of tests/field, whose number its name in oddity.c begins with. */
enum oddity {
	ODD_KEEPALIVE_UNANSWERED,
	ODD_COMMAND_UNANSWERED,
	ODD_MULTI_OTHER_END,
	ODD_GREETING_NO_END,
	ODD_CCC,
	ODD_FOREIGN,
	ODD_OTHER_ANSWER,
	ODD_FIRST_OF_LINES,
	ODD_BANNER,
	ODD_NO_HYPHEN,
	ODD_CODE_BARE,
	ODD_TEXT_BEHIND,
	ODD_SERVER_NUL,
	ODD_CLIENT_NUL,
	ODD_LINE_FEED,
	ODD_CR_IN_ARGUMENT,
	ODD_CLIENT_LINE,
	ODD_GREETING_120,
	ODD_GREETING_2XX,
	ODD_GREETING_230,
	ODD_ACCOUNT,
	ODD_LOGIN_2XX,
	ODD_DOUBLE_ANSWER,
	ODD_LATE_FINAL,
	ODD_ABOR_ONE,
	ODD_ABOR_MANY,
	ODD_ABOR_NONE,
	ODD_PIPELINE,
	ODD_PIPELINED_ANNOUNCEMENT,
	ODD_LOGIN_IN_ONE,
	ODD_PROXY_1,
	ODD_PROXY_2,
	ODD_MAPPED,
	ODD_ZEROS_OVER_IPV6,
	ODD_BLANKS,
	ODD_ZEROS_229,
	ODD_FILLED_229,
	ODD_NO_PARENTHESES,
	ODD_BAR_TOO_FEW,
	ODD_EPRT_NO_END,
	ODD_COMMA_AT_END,
	ODD_WIDE_OCTETS,
	ODD_BLANKS_229,
	ODD_DNAT_FOREIGN,
	ODD_TAPE,
	ODD_IDLE,
	ODD_VERB,
	ODD_TELNET,
	ODD_SEGMENTS,
	ODD_REFUSED_FIRST,
	ODDITIES,
};

extern const char *const oddity_name[ODDITIES];

enum step_kind { STEP_SAY, STEP_DATA, STEP_SILENCE };

struct step {
	enum step_kind kind;
	enum side side;	  /* who speaks; of a data connection: who listens */
	bool must;	  /* of a data connection: it has to be let in; else it must not be */
	bool named;	  /* and the text that announced it names the address to be dialled */
	uint16_t port;	  /* listened on */
	uint16_t length;  /* bytes said */
	uint32_t at;	  /* where in text */
	uint32_t seconds; /* of silence */
};

struct promise {
	enum side side;
	uint16_t port;
};

struct script {
	uint64_t seed;
	enum world world;
	bool hostile; /* somebody wants a port opened that nobody announced */
	enum allowed allowed;
	struct endpoint inside[2]; /* as each end has itself */
	struct endpoint seen[2];   /* as the other sees it */
	struct step step[SCRIPT_STEPS];
	unsigned int steps;
	uint8_t text[SCRIPT_TEXT];
	uint32_t length;
	struct promise promise[SCRIPT_PROMISES];
	unsigned int promises;
	uint64_t odd; /* a bit each: what is in it */
};

void script_begin(struct script *script, uint64_t seed, enum world world, uint8_t family);

void script_say(struct script *script, enum side side, const void *bytes, uint32_t length);

/* The last thing said goes on: no segment of its own. */
void script_say_more(struct script *script, const void *bytes, uint32_t length);

void script_silence(struct script *script, uint32_t seconds);

/* `side` listens on the port, and the other end connects. */
void script_data(struct script *script, enum side side, uint16_t port, bool must, bool named);

void script_promise(struct script *script, enum side side, uint16_t port);
bool script_promised(const struct script *script, enum side side, uint16_t port);

/* As tests/field writes it. */
void script_print(const struct script *script);

#endif
