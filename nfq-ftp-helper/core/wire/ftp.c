// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two tables, one a side, say which words matter. The scanner is a state machine over bytes; ftp_phase names its states.
 */
#include "ftp.h"

/*
 * Commands of RFC 959, 1639, 2228, 2389, 2428, 2640, 3659, 4217, 7151, the X-commands of RFC 775 and 1123, and what common
 * clients send besides. A connection whose first line is none of these is not taken for FTP.
 */
static const struct ftp_word commands[] = {
	{ "PORT", FTP_PORT, NOTATION_HOST_PORT },
	{ "EPRT", FTP_EPRT, NOTATION_EXTENDED },
	{ "LPRT", FTP_LPRT, NOTATION_LONG },
	{ "PASV", FTP_PASV, NOTATION_NONE },
	{ "EPSV", FTP_EPSV, NOTATION_NONE },
	{ "LPSV", FTP_LPSV, NOTATION_NONE },
	{ "AUTH", FTP_AUTH, NOTATION_NONE },
	/* The most frequent first: the search is linear. */
	{ "RETR", FTP_OTHER, NOTATION_NONE },
	{ "STOR", FTP_OTHER, NOTATION_NONE },
	{ "TYPE", FTP_OTHER, NOTATION_NONE },
	{ "NOOP", FTP_OTHER, NOTATION_NONE },
	{ "CWD", FTP_OTHER, NOTATION_NONE },
	{ "LIST", FTP_OTHER, NOTATION_NONE },
	{ "USER", FTP_OTHER, NOTATION_NONE },
	{ "PASS", FTP_OTHER, NOTATION_NONE },
	{ "ACCT", FTP_OTHER, NOTATION_NONE },
	{ "CDUP", FTP_OTHER, NOTATION_NONE },
	{ "SMNT", FTP_OTHER, NOTATION_NONE },
	{ "QUIT", FTP_OTHER, NOTATION_NONE },
	{ "REIN", FTP_OTHER, NOTATION_NONE },
	{ "STRU", FTP_OTHER, NOTATION_NONE },
	{ "MODE", FTP_OTHER, NOTATION_NONE },
	{ "STOU", FTP_OTHER, NOTATION_NONE },
	{ "APPE", FTP_OTHER, NOTATION_NONE },
	{ "ALLO", FTP_OTHER, NOTATION_NONE },
	{ "REST", FTP_OTHER, NOTATION_NONE },
	{ "RNFR", FTP_OTHER, NOTATION_NONE },
	{ "RNTO", FTP_OTHER, NOTATION_NONE },
	{ "ABOR", FTP_OTHER, NOTATION_NONE },
	{ "DELE", FTP_OTHER, NOTATION_NONE },
	{ "RMD", FTP_OTHER, NOTATION_NONE },
	{ "MKD", FTP_OTHER, NOTATION_NONE },
	{ "PWD", FTP_OTHER, NOTATION_NONE },
	{ "NLST", FTP_OTHER, NOTATION_NONE },
	{ "SITE", FTP_OTHER, NOTATION_NONE },
	{ "SYST", FTP_OTHER, NOTATION_NONE },
	{ "STAT", FTP_OTHER, NOTATION_NONE },
	{ "HELP", FTP_OTHER, NOTATION_NONE },
	{ "FEAT", FTP_OTHER, NOTATION_NONE },
	{ "OPTS", FTP_OTHER, NOTATION_NONE },
	{ "LANG", FTP_OTHER, NOTATION_NONE },
	{ "HOST", FTP_OTHER, NOTATION_NONE },
	{ "CLNT", FTP_OTHER, NOTATION_NONE },
	{ "MDTM", FTP_OTHER, NOTATION_NONE },
	{ "SIZE", FTP_OTHER, NOTATION_NONE },
	{ "MLST", FTP_OTHER, NOTATION_NONE },
	{ "MLSD", FTP_OTHER, NOTATION_NONE },
	{ "MFMT", FTP_OTHER, NOTATION_NONE },
	{ "MFCT", FTP_OTHER, NOTATION_NONE },
	{ "MFF", FTP_OTHER, NOTATION_NONE },
	{ "CSID", FTP_OTHER, NOTATION_NONE },
	{ "AVBL", FTP_OTHER, NOTATION_NONE },
	{ "ADAT", FTP_OTHER, NOTATION_NONE },
	{ "PBSZ", FTP_OTHER, NOTATION_NONE },
	{ "PROT", FTP_OTHER, NOTATION_NONE },
	{ "CCC", FTP_OTHER, NOTATION_NONE },
	{ "MIC", FTP_OTHER, NOTATION_NONE },
	{ "CONF", FTP_OTHER, NOTATION_NONE },
	{ "ENC", FTP_OTHER, NOTATION_NONE },
	{ "XCUP", FTP_OTHER, NOTATION_NONE },
	{ "XCWD", FTP_OTHER, NOTATION_NONE },
	{ "XMKD", FTP_OTHER, NOTATION_NONE },
	{ "XPWD", FTP_OTHER, NOTATION_NONE },
	{ "XRMD", FTP_OTHER, NOTATION_NONE },
	{ "XSHA", FTP_OTHER, NOTATION_NONE },
	{ "XCRC", FTP_OTHER, NOTATION_NONE },
	{ "XMD5", FTP_OTHER, NOTATION_NONE },
};

static const struct ftp_word replies[] = {
	{ "227", FTP_PASV, NOTATION_HOST_PORT },
	{ "228", FTP_LPSV, NOTATION_LONG },
	{ "229", FTP_EPSV, NOTATION_EXTENDED_PORT },
};

enum telnet_state {
	TELNET_NONE,
	TELNET_IAC,    /* after IAC */
	TELNET_OPTION, /* after IAC WILL, WONT, DO or DONT */
};

#define IAC  255
#define WILL 251
#define DONT 254

static char upper(char c)
{
	if (c >= 'a' && c <= 'z')
		return (char)(c - 0x20);
	return c;
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* The rows of a side. */
static const struct ftp_word *words_of(enum ftp_side side, size_t *count)
{
	*count = side == FTP_CLIENT ? sizeof(commands) / sizeof(commands[0]) : sizeof(replies) / sizeof(replies[0]);
	return side == FTP_CLIENT ? commands : replies;
}

const struct ftp_word *ftp_word_find(enum ftp_side side, const char *text, size_t length)
{
	size_t count;
	const struct ftp_word *words = words_of(side, &count);
	char word[FTP_WORD_MAX] = { 0 };

	if (length == 0 || length > FTP_WORD_MAX)
		return NULL;
	for (size_t i = 0; i < length; i++)
		word[i] = upper(text[i]);
	for (size_t i = 0; i < count; i++)
		if (memcmp(words[i].text, word, FTP_WORD_MAX) == 0) /* one comparison of four bytes */
			return &words[i];
	return NULL;
}

const struct ftp_word *ftp_word_announcing(enum ftp_side side, enum ftp_kind kind)
{
	size_t count;
	const struct ftp_word *words = words_of(side, &count);

	for (size_t i = 0; i < count; i++)
		if (words[i].kind == kind && words[i].notation != NOTATION_NONE)
			return &words[i];
	return NULL;
}

const struct ftp_word *ftp_line_word(const struct ftp_line *line, enum ftp_side side)
{
	return ftp_word_find(side, line->word, line->length);
}

unsigned int ftp_code(const struct ftp_line *line)
{
	if (line->length != 3 || !line->separator)
		return 0;
	return (unsigned int)(line->word[0] - '0') * 100 + (unsigned int)(line->word[1] - '0') * 10 +
	       (unsigned int)(line->word[2] - '0');
}

void ftp_next_line(struct ftp_line *line)
{
	const uint8_t telnet = line->telnet;

	*line = (struct ftp_line){ .phase = FTP_PHASE_START };
	line->telnet = telnet & 3;
}

void ftp_skip_line(struct ftp_line *line)
{
	line->phase = FTP_PHASE_SKIP;
}

void ftp_pass_argument(struct ftp_line *line)
{
	if (line->phase == FTP_PHASE_GAP || line->phase == FTP_PHASE_ARGUMENT)
		line->phase = FTP_PHASE_REST;
}

void ftp_lose_line(struct ftp_line *line)
{
	line->phase = FTP_PHASE_LOST;
}

/* Is this byte part of a Telnet sequence? IAC IAC is a data byte of 255 (RFC 854), which no FTP word contains. */
static bool telnet(struct ftp_line *line, uint8_t byte)
{
	switch (line->telnet) {
	case TELNET_NONE:
		line->telnet = byte == IAC ? TELNET_IAC : TELNET_NONE;
		return byte == IAC;
	case TELNET_IAC:
		line->telnet = byte >= WILL && byte <= DONT ? TELNET_OPTION : TELNET_NONE;
		return true;
	default:
		line->telnet = TELNET_NONE;
		return true;
	}
}

static bool ends_word(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The verb has ended: does an argument follow that matters? */
static void end_command(struct ftp_line *line, uint8_t byte)
{
	const struct ftp_word *word = ftp_line_word(line, FTP_CLIENT);

	line->separator = byte;
	line->phase = word && word->notation != NOTATION_NONE ? FTP_PHASE_GAP : FTP_PHASE_REST;
}

/* A byte of a command's verb. Return false when it cannot stand there. */
static bool scan_verb(struct ftp_line *line, uint8_t byte)
{
	if (is_letter(byte) || (line->length && is_digit(byte))) {
		if (line->length < FTP_WORD_MAX)
			line->word[line->length] = upper((char)byte);
		if (line->length <= FTP_WORD_MAX)
			line->length++;
		line->phase = FTP_PHASE_WORD;
		return true;
	}
	if (!ends_word(byte))
		return false;
	end_command(line, byte);
	return true;
}

/* A byte of a reply's code. Text of a multi-line reply may be anything. */
static bool scan_code(struct ftp_line *line, unsigned int text_line, uint8_t byte)
{
	const struct ftp_word *word;

	if (line->length < 3 && is_digit(byte)) {
		line->word[line->length++] = (char)byte;
		line->phase = FTP_PHASE_WORD;
		return true;
	}
	if (line->length == 3 && (ends_word(byte) || byte == '-')) {
		line->separator = byte;
		word = ftp_line_word(line, FTP_SERVER);
		line->phase = FTP_PHASE_REST;
		if (word && byte == ' ' && (text_line == 0 || text_line == ftp_code(line)))
			line->phase = FTP_PHASE_GAP;
		return true;
	}
	line->phase = FTP_PHASE_REST;
	return text_line != 0 || (line->length == 0 && (byte == '\r' || byte == '\n'));
}

/* Can this byte be the first of the argument? A command's is the first that is no space; a reply's stands in prose. */
static bool begins_argument(const struct ftp_line *line, enum ftp_side side, uint8_t byte)
{
	if (side == FTP_CLIENT)
		return byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n';
	return endpoint_may_begin((enum notation)ftp_line_word(line, side)->notation, (char)byte);
}

/* A command's gap is white space; its last byte may as well be what ended the word. */
static void note_gap(struct ftp_line *line, enum ftp_side side, uint8_t byte)
{
	if (side == FTP_CLIENT)
		line->separator = byte;
	else
		line->word[3] = (char)byte;
}

char ftp_byte_before(const struct ftp_line *line, enum ftp_side side)
{
	if (side == FTP_CLIENT)
		return (char)line->separator;
	return line->word[3];
}

/* One byte. Return FTP_MORE to go on. */
static enum ftp_event scan_byte(struct ftp_line *line, enum ftp_side side, unsigned int text_line, uint8_t byte)
{
	if (line->phase <= FTP_PHASE_WORD) {
		bool legal;

		if (telnet(line, byte))
			return FTP_MORE;
		legal = side == FTP_CLIENT ? scan_verb(line, byte) : scan_code(line, text_line, byte);
		if (!legal)
			return FTP_STRANGE;
	} else if (line->phase == FTP_PHASE_GAP && begins_argument(line, side, byte)) {
		line->phase = FTP_PHASE_ARGUMENT;
		return FTP_ARGUMENT;
	}
	if (line->phase == FTP_PHASE_GAP)
		note_gap(line, side, byte);
	return byte == '\n' ? FTP_LINE : FTP_MORE;
}

/* At the start of a line whose first bytes are all here, which is the rule: the word at once. Return: bytes consumed. */
static size_t scan_word(struct ftp_line *line, enum ftp_side side, unsigned int text_line, const uint8_t *data,
			size_t length)
{
	size_t at;

	if (line->phase != FTP_PHASE_START || line->telnet != TELNET_NONE || length < FTP_WORD_MAX + 1)
		return 0;
	if (side == FTP_SERVER) {
		if (!is_digit(data[0]) || !is_digit(data[1]) || !is_digit(data[2]) ||
		    (data[3] != ' ' && data[3] != '-'))
			return 0;
		memcpy(line->word, data, 3);
		line->length = 3;
		scan_code(line, text_line, data[3]);
		at = 3;
	} else {
		for (at = 0; at < FTP_WORD_MAX && is_letter(data[at]); at++)
			line->word[at] = upper((char)data[at]);
		if (at == 0 || data[at] == '\n' || !ends_word(data[at])) {
			memset(line->word, 0, sizeof(line->word));
			return 0;
		}
		line->length = (uint8_t)at & 7;
		end_command(line, data[at]);
	}
	if (line->phase == FTP_PHASE_GAP)
		note_gap(line, side, data[at]);
	return at + 1;
}

/* How many bytes of a reply's prose there are before the first that may begin its argument, or ends the line. */
static size_t prose_length(const uint8_t *data, size_t length)
{
	size_t at = 0;

	while (at < length && data[at] != '(' && !endpoint_is_bar((char)data[at]) && data[at] != '\n' &&
	       !is_digit(data[at]))
		at++;
	return at;
}

/* In the gap of a reply: its prose at once. Return: bytes consumed. */
static size_t scan_prose(struct ftp_line *line, enum ftp_side side, const uint8_t *data, size_t length)
{
	const size_t prose = side == FTP_SERVER && line->phase == FTP_PHASE_GAP ? prose_length(data, length) : 0;

	if (prose)
		note_gap(line, side, data[prose - 1]);
	return prose;
}

static size_t scan(struct ftp_line *line, enum ftp_side side, unsigned int text_line, const uint8_t *data,
		   size_t length, enum ftp_event *event)
{
	size_t at = scan_word(line, side, text_line, data, length);

	at += scan_prose(line, side, data + at, length - at);
	while (at < length && line->phase < FTP_PHASE_REST) {
		*event = scan_byte(line, side, text_line, data[at]);
		if (*event == FTP_ARGUMENT || *event == FTP_STRANGE)
			return at;
		at++;
		if (*event == FTP_LINE)
			return at;
	}
	if (at < length) {
		const uint8_t *end = memchr(data + at, '\n', length - at);

		if (end) {
			*event = line->phase == FTP_PHASE_SKIP ? FTP_SKIPPED :
				 line->phase == FTP_PHASE_LOST ? FTP_LOST :
								 FTP_LINE;
			return (size_t)(end - data) + 1;
		}
	}
	*event = FTP_MORE;
	return length;
}

size_t ftp_scan(struct ftp_line *line, enum ftp_side side, unsigned int text_line, const uint8_t *data, size_t length,
		enum ftp_event *event)
{
	struct ftp_line copy = *line; /* data may alias it, as far as the compiler knows */
	size_t consumed = 0;

	*event = FTP_ARGUMENT;
	if (length == 0)
		*event = FTP_MORE;
	else if (line->phase != FTP_PHASE_ARGUMENT)
		consumed = scan(&copy, side, text_line, data, length, event);
	*line = copy;
	return consumed;
}
