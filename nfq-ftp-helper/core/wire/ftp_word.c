// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two tables, one a side, say which words matter.
 */
#include "ftp_word.h"

/*
 * Commands of RFC 959, 1639, 2228, 2389, 2428, 2640, 3659, 4217, 7151, the X-commands of RFC 775 and 1123, and what common
 * clients send besides. A connection whose first line is none of these is not taken for FTP.
 */
static const struct ftp_word commands[] = {
	{ "PORT", FTP_PORT, NOTATION_HOST_PORT },
	{ "EPRT", FTP_EPRT, NOTATION_EXTENDED },
	{ "LPRT", FTP_LPRT, NOTATION_LONG },
	{ "PASV", FTP_PASV, NOTATION_NONE },
	{ "CPSV", FTP_PASV, NOTATION_NONE }, /* the same between two servers under TLS */
	{ "P@SW", FTP_PASV, NOTATION_NONE }, /* its alias, made to get past helpers */
	{ "EPSV", FTP_EPSV, NOTATION_NONE },
	{ "LPSV", FTP_LPSV, NOTATION_NONE },
	{ "AUTH", FTP_AUTH, NOTATION_NONE },
	/* The most frequent first: the search is linear. */
	{ "RETR", FTP_TRANSFER, NOTATION_NONE },
	{ "STOR", FTP_TRANSFER, NOTATION_NONE },
	{ "TYPE", FTP_OTHER, NOTATION_NONE },
	{ "NOOP", FTP_OTHER, NOTATION_NONE },
	{ "CWD", FTP_OTHER, NOTATION_NONE },
	{ "LIST", FTP_TRANSFER, NOTATION_NONE },
	{ "USER", FTP_LOGIN, NOTATION_NONE },
	{ "PASS", FTP_LOGIN, NOTATION_NONE },
	{ "ACCT", FTP_LOGIN, NOTATION_NONE },
	{ "CDUP", FTP_OTHER, NOTATION_NONE },
	{ "SMNT", FTP_OTHER, NOTATION_NONE },
	{ "QUIT", FTP_OTHER, NOTATION_NONE },
	{ "REIN", FTP_OTHER, NOTATION_NONE },
	{ "STRU", FTP_OTHER, NOTATION_NONE },
	{ "MODE", FTP_OTHER, NOTATION_NONE },
	{ "STOU", FTP_TRANSFER, NOTATION_NONE },
	{ "APPE", FTP_TRANSFER, NOTATION_NONE },
	{ "ALLO", FTP_OTHER, NOTATION_NONE },
	{ "REST", FTP_OTHER, NOTATION_NONE },
	{ "RNFR", FTP_OTHER, NOTATION_NONE },
	{ "RNTO", FTP_OTHER, NOTATION_NONE },
	{ "ABOR", FTP_OTHER, NOTATION_NONE },
	{ "DELE", FTP_OTHER, NOTATION_NONE },
	{ "RMD", FTP_OTHER, NOTATION_NONE },
	{ "MKD", FTP_OTHER, NOTATION_NONE },
	{ "PWD", FTP_OTHER, NOTATION_NONE },
	{ "NLST", FTP_TRANSFER, NOTATION_NONE },
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
	{ "MLSD", FTP_TRANSFER, NOTATION_NONE },
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
	{ "XAUT", FTP_OTHER, NOTATION_NONE },
	{ "HASH", FTP_OTHER, NOTATION_NONE },
	{ "RANG", FTP_OTHER, NOTATION_NONE },
};

static const struct ftp_word replies[] = {
	{ "227", FTP_PASV, NOTATION_HOST_PORT },
	{ "228", FTP_LPSV, NOTATION_LONG },
	{ "229", FTP_EPSV, NOTATION_EXTENDED_PORT },
};

static char upper(char c)
{
	if (c >= 'a' && c <= 'z')
		return (char)(c - 0x20);
	return c;
}

/* The rows of a side. */
static const struct ftp_word *words_of(enum direction side, size_t *count)
{
	*count = side == DIRECTION_ORIGINAL ? sizeof(commands) / sizeof(commands[0]) :
					      sizeof(replies) / sizeof(replies[0]);
	return side == DIRECTION_ORIGINAL ? commands : replies;
}

const struct ftp_word *ftp_word_find(enum direction side, const char *text, size_t length)
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

const struct ftp_word *ftp_word_announcing(enum direction side, enum ftp_kind kind)
{
	size_t count;
	const struct ftp_word *words = words_of(side, &count);

	for (size_t i = 0; i < count; i++)
		if (words[i].kind == kind && words[i].notation != NOTATION_NONE)
			return &words[i];
	return NULL;
}

uint8_t ftp_word_number(const struct ftp_word *word)
{
	return word ? (uint8_t)(word - commands + 1) : 0;
}

const struct ftp_word *ftp_word_of(uint8_t number)
{
	return number && number <= sizeof(commands) / sizeof(commands[0]) ? &commands[number - 1] : NULL;
}
