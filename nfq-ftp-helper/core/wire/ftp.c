// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scanner is a state machine over bytes; ftp_phase names its states.
 */
#include "ftp.h"

#include "bytes.h"

enum telnet_state {
	TELNET_NONE,
	TELNET_IAC,    /* after IAC */
	TELNET_OPTION, /* after IAC WILL, WONT, DO or DONT */
};

#define SE   240 /* the lowest of the commands */
#define IAC  255
#define WILL 251
#define DONT 254

unsigned int ftp_code(const struct ftp_line *line)
{
	unsigned int code;

	if (line->length != 3 || line->separator == FTP_SEPARATOR_NONE)
		return 0;
	code = (unsigned int)(line->word[0] - '0') * 100 + (unsigned int)(line->word[1] - '0') * 10 +
	       (unsigned int)(line->word[2] - '0');
	return code >= 100 && code <= 599 ? code : 0;
}

void ftp_go_on(struct ftp_line *line)
{
	line->phase = FTP_PHASE_ODD;
	line->length = FTP_WORD_MAX + 1;
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

/*
 * Is this byte part of a Telnet sequence? IAC IAC is a data byte of 255 (RFC 854), which no FTP word contains. Nor does one contain LF: who
 * does not know Telnet ends the line there.
 */
static bool telnet(struct ftp_line *line, uint8_t byte)
{
	if (byte == '\n' && line->length)
		line->telnet = TELNET_NONE;
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

/* What may end a word, and stand in a command's gap. */
static const char separators[FTP_SEPARATORS] = {
	[FTP_SEPARATOR_SPACE] = ' ', [FTP_SEPARATOR_TAB] = '\t',   [FTP_SEPARATOR_CR] = '\r',
	[FTP_SEPARATOR_LF] = '\n',   [FTP_SEPARATOR_HYPHEN] = '-',
};

static enum ftp_separator separator_of(uint8_t byte)
{
	switch (byte) {
	case ' ':
		return FTP_SEPARATOR_SPACE;
	case '\t':
		return FTP_SEPARATOR_TAB;
	case '\r':
		return FTP_SEPARATOR_CR;
	case '\n':
		return FTP_SEPARATOR_LF;
	case '-':
		return FTP_SEPARATOR_HYPHEN;
	default:
		return FTP_SEPARATOR_NONE;
	}
}

static bool ends_word(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* A command's: also the NUL of its client's own text, behind which there is nothing for a server that is written in C. */
static bool ends_verb(const struct ftp_line *line, uint8_t byte)
{
	return ends_word(byte) || (byte == 0 && line->length);
}

/* The verb has ended: does an argument follow that matters? */
static void end_command(struct ftp_line *line, uint8_t byte)
{
	const struct ftp_word *word = ftp_line_word(line, DIRECTION_ORIGINAL);

	line->separator = separator_of(byte) & 7;
	line->phase = word && word->notation != NOTATION_NONE && byte ? FTP_PHASE_GAP : FTP_PHASE_REST;
}

/*
 * A client's line that begins with digits. No client says "227 " or "227-": where a server repeats what it was told, an LF in a name and what stands behind
 * that, it would be read as the server's own.
 */
static enum ftp_event scan_digits(struct ftp_line *line, uint8_t byte)
{
	if (bytes_is_digit(byte) && line->length < 3) {
		line->word[line->length++] = (char)byte;
		line->phase = FTP_PHASE_WORD;
		return FTP_MORE;
	}
	return (byte == ' ' || byte == '-') && ftp_line_word(line, DIRECTION_REPLY) ? FTP_FOREIGN : FTP_STRANGE;
}

/* A client's line that begins with CR: an empty one, or no command, whatever comes behind that. */
static enum ftp_event scan_empty(struct ftp_line *line, uint8_t byte)
{
	line->phase = FTP_PHASE_WORD;
	line->separator = FTP_SEPARATOR_CR;
	if (byte == '\n')
		end_command(line, byte);
	return byte == '\r' || byte == '\n' || byte == 0 ? FTP_MORE : FTP_STRANGE;
}

/* A byte of a command's verb. */
static enum ftp_event scan_verb(struct ftp_line *line, uint8_t byte)
{
	if (!line->length && (byte == '\r' || line->separator == FTP_SEPARATOR_CR))
		return scan_empty(line, byte);
	if (bytes_is_digit(line->length ? (uint8_t)line->word[0] : byte))
		return scan_digits(line, byte);
	if (bytes_is_letter(byte) || (line->length && (bytes_is_digit(byte) || byte == '@'))) {
		if (line->length < FTP_WORD_MAX)
			line->word[line->length] = (char)bytes_upper(byte);
		if (line->length <= FTP_WORD_MAX)
			line->length++;
		line->phase = FTP_PHASE_WORD;
		return FTP_MORE;
	}
	if (byte == ':' && line->length)
		return FTP_FOREIGN;
	if (!ends_verb(line, byte))
		return FTP_STRANGE;
	end_command(line, byte);
	return FTP_MORE;
}

/* What is no command begins with a word all the same, perhaps, and a colon may follow that (RFC 9110 section 5.6.2 says of what it is). */
static enum ftp_event scan_odd(struct ftp_line *line, uint8_t byte)
{
	if (byte == ':')
		return FTP_FOREIGN;
	if (byte <= ' ' || byte >= 127 || strchr("\"(),/;<=>?@[\\]{}", byte))
		line->phase = FTP_PHASE_REST;
	return FTP_MORE;
}

/* The code has ended: does an argument follow that matters? */
static void end_code(struct ftp_line *line, unsigned int text_line, uint8_t byte)
{
	const struct ftp_word *word = ftp_word_find(DIRECTION_REPLY, line->word, 3);

	line->separator = separator_of(byte) & 7;
	if (word && (byte == ' ' || byte == '-') && (text_line == 0 || text_line == ftp_code(line)))
		line->phase = FTP_PHASE_GAP;
	else
		line->phase = FTP_PHASE_REST;
}

/* A byte of a reply's code. What has none may be anything: text, or nothing that FTP knows. */
static enum ftp_event scan_code(struct ftp_line *line, unsigned int text_line, uint8_t byte)
{
	if (line->length < 3 && bytes_is_digit(byte)) {
		line->word[line->length++] = (char)byte;
		line->phase = FTP_PHASE_WORD;
		return FTP_MORE;
	}
	if (line->length == 3 && (ends_word(byte) || byte == '-'))
		end_code(line, text_line, byte);
	else
		line->phase = FTP_PHASE_REST;
	return FTP_MORE;
}

/* How much of "HTTP/n.n", and CRs behind it, stands at the end, once this byte has come? */
static unsigned int web_next(unsigned int web, uint8_t byte)
{
	static const char web_text[FTP_WEB_ALL] = { 'H', 'T', 'T', 'P', '/', 'n', '.', 'n' };

	if (web == FTP_WEB_ALL)
		return byte == '\r' ? web : byte == 'H';
	if (web_text[web] == 'n' ? bytes_is_digit(byte) : byte == (uint8_t)web_text[web])
		return web + 1;
	return byte == 'H';
}

/* The same once all of these have come: the last bytes before CRs decide. CRs, however many, leave the whole as it is and undo a part. */
static unsigned int web_over(unsigned int web, const uint8_t *data, size_t length)
{
	size_t text = length, first;

	while (text && data[text - 1] == '\r')
		text--;
	first = text > FTP_WEB_ALL ? text - FTP_WEB_ALL : 0;
	if (first)
		web = 0;
	for (size_t i = first; i < text; i++)
		web = web_next(web, data[i]);
	return text == length || web == FTP_WEB_ALL ? web : 0;
}

static bool is_web(const uint8_t *text)
{
	return memcmp(text, "HTTP/", 5) == 0 && bytes_is_digit(text[5]) && text[6] == '.' && bytes_is_digit(text[7]);
}

/* The same where the line ends here: then only the whole of it counts, and seldom is any of it in an earlier piece. */
static unsigned int web_to_end(unsigned int web, const uint8_t *data, size_t length)
{
	size_t text = length;

	while (text && data[text - 1] == '\r')
		text--;
	if (text >= FTP_WEB_ALL)
		return is_web(data + text - FTP_WEB_ALL) ? FTP_WEB_ALL : 0;
	return web ? web_over(web, data, length) : 0;
}

void ftp_skip_behind(struct ftp_line *line, const uint8_t *part, size_t length)
{
	line->web = web_over(line->web, part, length) & 15;
	ftp_skip_line(line);
}

bool ftp_text_is_web(const char *text, size_t length)
{
	return web_to_end(0, (const uint8_t *)text, length) == FTP_WEB_ALL;
}

/* Can this byte be the first of the argument? A command's is the first that is no space; a reply's stands in prose. */
static bool begins_argument(const struct ftp_line *line, enum direction side, uint8_t byte)
{
	if (side == DIRECTION_ORIGINAL)
		return byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n';
	return endpoint_may_begin((enum notation)ftp_line_word(line, side)->notation, (char)byte);
}

/* A command's gap is white space; its last byte may as well be what ended the word. */
static void note_gap(struct ftp_line *line, enum direction side, uint8_t byte)
{
	if (side == DIRECTION_ORIGINAL)
		line->separator = separator_of(byte) & 7;
	else
		line->word[3] = (char)byte;
}

char ftp_byte_before(const struct ftp_line *line, enum direction side)
{
	if (side == DIRECTION_ORIGINAL)
		return separators[line->separator];
	return line->word[3];
}

/*
 * What may stand before a line's first byte and is none of it: the NUL of the text before, and a Telnet command whose IAC was urgent and is
 * not in the stream ("IAC IP DM" of an ABOR).
 */
static bool is_stray(uint8_t byte)
{
	return byte == 0 || byte >= SE;
}

/*
 * In a multi-line reply. A server that pads the lines of others that begin with a digit (RFC 959 section 4.2) pads none that begins with Telnet's
 * bytes, and sends none of its own amid its text: there they are not skipped. No name of a file has a NUL in it.
 */
static enum ftp_event scan_text(struct ftp_line *line, unsigned int text_line, uint8_t byte)
{
	if (line->phase == FTP_PHASE_START && byte == 0)
		return FTP_MORE;
	return scan_code(line, text_line, byte);
}

/* A byte of a word, or of what stands in a word's place. */
static enum ftp_event scan_in_word(struct ftp_line *line, enum direction side, unsigned int text_line, uint8_t byte)
{
	if (line->phase == FTP_PHASE_ODD)
		return scan_odd(line, byte);
	if (text_line && side == DIRECTION_REPLY)
		return scan_text(line, text_line, byte);
	if (telnet(line, byte) || (line->phase == FTP_PHASE_START && is_stray(byte)))
		return FTP_MORE;
	return side == DIRECTION_ORIGINAL ? scan_verb(line, byte) : scan_code(line, text_line, byte);
}

/* One byte. Return FTP_MORE to go on. */
static enum ftp_event scan_byte(struct ftp_line *line, enum direction side, unsigned int text_line, uint8_t byte)
{
	if (line->phase < FTP_PHASE_GAP) {
		const enum ftp_event event = scan_in_word(line, side, text_line, byte);

		if (event != FTP_MORE)
			return event;
	} else if (line->phase == FTP_PHASE_GAP && begins_argument(line, side, byte)) {
		line->phase = FTP_PHASE_ARGUMENT;
		return FTP_ARGUMENT;
	}
	if (line->phase == FTP_PHASE_GAP)
		note_gap(line, side, byte);
	return byte == '\n' && line->phase >= FTP_PHASE_GAP ? FTP_LINE : FTP_MORE;
}

/* A word of that many bytes, letters in upper case. It is written in one piece, since it is read so at once. */
static void set_word(struct ftp_line *line, const uint8_t *data, size_t length, uint32_t lower_case)
{
	const uint32_t rest = (uint32_t)(~(uint64_t)0 << 8 * (FTP_WORD_MAX - length));

	bytes_put32((uint8_t *)line->word, bytes_get32(data) & rest & ~lower_case);
	line->length = (uint8_t)length & 7;
}

/* At the start of a line whose first bytes are all here, which is the rule: the word at once. Return: bytes consumed. */
static size_t scan_word(struct ftp_line *line, enum direction side, unsigned int text_line, const uint8_t *data,
			size_t length)
{
	size_t at;

	if (line->phase != FTP_PHASE_START || line->telnet != TELNET_NONE || length < FTP_WORD_MAX + 1)
		return 0;
	if (side == DIRECTION_REPLY) {
		if (!bytes_is_digit(data[0]) || !bytes_is_digit(data[1]) || !bytes_is_digit(data[2]) ||
		    (data[3] != ' ' && data[3] != '-'))
			return 0;
		set_word(line, data, 3, 0);
		end_code(line, text_line, data[3]);
		at = 3;
	} else {
		for (at = 0; at < FTP_WORD_MAX && bytes_is_letter(data[at]);)
			at++;
		if (at == 0 || data[at] == '\n' || !ends_word(data[at]))
			return 0;
		set_word(line, data, at, 0x20202020);
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
	       !bytes_is_digit(data[at]))
		at++;
	return at;
}

/* In the gap of a reply: its prose at once. Return: bytes consumed. */
static size_t scan_prose(struct ftp_line *line, enum direction side, const uint8_t *data, size_t length)
{
	const size_t prose = side == DIRECTION_REPLY && line->phase == FTP_PHASE_GAP ? prose_length(data, length) : 0;

	if (prose)
		note_gap(line, side, data[prose - 1]);
	return prose;
}

/* It was no header: what came before this byte, empty lines or a part of a word, is read as what it is. */
static void scan_prefix(struct ftp_line *line)
{
	size_t length;
	const uint8_t *prefix = proxy_prefix(&line->proxy, &length);

	ftp_next_line(line);
	for (size_t i = 0; i < length; i++)
		if (scan_byte(line, DIRECTION_ORIGINAL, 0, prefix[i]) == FTP_LINE)
			ftp_next_line(line);
}

/* At the first byte of all. Return: bytes consumed; the event says whether to go on. */
static size_t scan_first(struct ftp_line *line, const uint8_t *data, size_t length, enum ftp_event *event)
{
	*event = FTP_MORE;
	for (size_t at = 0; at < length; at++) {
		switch (proxy_read(&line->proxy, data[at])) {
		case PROXY_MORE:
			break;
		case PROXY_OVER:
			ftp_next_line(line);
			return at + 1;
		case PROXY_NOT:
			scan_prefix(line);
			return at;
		case PROXY_WRONG:
			*event = FTP_STRANGE;
			return at;
		}
	}
	return length;
}

/* What remains of a line matters no more, but for its end. */
static size_t scan_rest(struct ftp_line *line, enum direction side, const uint8_t *data, size_t length,
			enum ftp_event *event)
{
	const uint8_t *end = length ? memchr(data, '\n', length) : NULL;

	*event = FTP_MORE;
	if (!end) {
		if (side == DIRECTION_ORIGINAL)
			line->web = web_over(line->web, data, length) & 15;
		return length;
	}
	if (side == DIRECTION_ORIGINAL)
		line->web = web_to_end(line->web, data, (size_t)(end - data)) & 15;
	*event = line->phase == FTP_PHASE_SKIP ? FTP_SKIPPED : line->phase == FTP_PHASE_LOST ? FTP_LOST : FTP_LINE;
	return (size_t)(end - data) + 1;
}

static size_t scan_line(struct ftp_line *line, enum direction side, unsigned int text_line, const uint8_t *data,
			size_t length, enum ftp_event *event)
{
	size_t at = 0;

	if (line->phase == FTP_PHASE_FIRST) {
		at = scan_first(line, data, length, event);
		if (*event == FTP_STRANGE || line->phase == FTP_PHASE_FIRST)
			return at;
	}
	at += scan_word(line, side, text_line, data + at, length - at);
	at += scan_prose(line, side, data + at, length - at);
	while (at < length && line->phase < FTP_PHASE_REST) {
		*event = scan_byte(line, side, text_line, data[at]);
		if (*event == FTP_ARGUMENT || *event == FTP_STRANGE || *event == FTP_FOREIGN)
			return at;
		at++;
		if (*event == FTP_LINE)
			return at;
	}
	return at + scan_rest(line, side, data + at, length - at, event);
}

size_t ftp_scan(struct ftp_line *line, enum direction side, unsigned int text_line, const uint8_t *data, size_t length,
		enum ftp_event *event)
{
	*event = length ? FTP_ARGUMENT : FTP_MORE;
	if (length == 0 || line->phase == FTP_PHASE_ARGUMENT)
		return 0;
	return scan_line(line, side, text_line, data, length, event);
}
