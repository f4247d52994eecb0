// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One table says which words matter. It is looked at for every line, so a word's row stands where the word itself says: the upper bits of
 * its four bytes, as one number, times PLACE_FACTOR. No two words have one place, or the compiler says so; then another odd factor
 * has to be found.
 */
#include "ftp_word.h"

#include "bytes.h"

#define PLACES	     256 /* an uint8_t names each: ftp_word_number() */
#define PLACE_SHIFT  24
#define PLACE_FACTOR 0xefa30757u

#define PLACE_OF(number)  ((uint32_t)(PLACE_FACTOR * (number)) >> PLACE_SHIFT)
#define PLACE(a, b, c, d) PLACE_OF((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

#define COMMAND(a, b, c, d, kind, notation) [PLACE(a, b, c, d)] = { { a, b, c, d }, DIRECTION_ORIGINAL, kind, notation }
#define REPLY(a, b, c, kind, notation)	    [PLACE(a, b, c, 0)] = { { a, b, c }, DIRECTION_REPLY, kind, notation }

#pragma GCC diagnostic error "-Woverride-init"

/*
 * Commands of RFC 959, 1639, 2228, 2389, 2428, 2640, 3659, 4217, 7151, the X-commands of RFC 775 and 1123, and what common
 * clients send besides. A connection whose first line is none of these is not taken for FTP.
 */
static const struct ftp_word words[PLACES] = {
	[0] = { "", 0, 0, 0 }, /* no word's: ftp_word_number() */
	COMMAND('P', 'O', 'R', 'T', FTP_PORT, NOTATION_HOST_PORT),
	COMMAND('E', 'P', 'R', 'T', FTP_EPRT, NOTATION_EXTENDED),
	COMMAND('L', 'P', 'R', 'T', FTP_LPRT, NOTATION_LONG),
	COMMAND('P', 'A', 'S', 'V', FTP_PASV, NOTATION_NONE),
	COMMAND('C', 'P', 'S', 'V', FTP_PASV, NOTATION_NONE), /* the same between two servers under TLS */
	COMMAND('P', '@', 'S', 'W', FTP_PASV, NOTATION_NONE), /* its alias, made to get past helpers */
	COMMAND('E', 'P', 'S', 'V', FTP_EPSV, NOTATION_NONE),
	COMMAND('L', 'P', 'S', 'V', FTP_LPSV, NOTATION_NONE),
	COMMAND('A', 'U', 'T', 'H', FTP_AUTH, NOTATION_NONE),
	COMMAND('R', 'E', 'T', 'R', FTP_TRANSFER, NOTATION_NONE),
	COMMAND('S', 'T', 'O', 'R', FTP_TRANSFER, NOTATION_NONE),
	COMMAND('T', 'Y', 'P', 'E', FTP_OTHER, NOTATION_NONE),
	COMMAND('N', 'O', 'O', 'P', FTP_OTHER, NOTATION_NONE),
	COMMAND('C', 'W', 'D', 0, FTP_OTHER, NOTATION_NONE),
	COMMAND('L', 'I', 'S', 'T', FTP_TRANSFER, NOTATION_NONE),
	COMMAND('U', 'S', 'E', 'R', FTP_LOGIN, NOTATION_NONE),
	COMMAND('P', 'A', 'S', 'S', FTP_LOGIN, NOTATION_NONE),
	COMMAND('A', 'C', 'C', 'T', FTP_LOGIN, NOTATION_NONE),
	COMMAND('C', 'D', 'U', 'P', FTP_OTHER, NOTATION_NONE),
	COMMAND('S', 'M', 'N', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('Q', 'U', 'I', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('R', 'E', 'I', 'N', FTP_OTHER, NOTATION_NONE),
	COMMAND('S', 'T', 'R', 'U', FTP_OTHER, NOTATION_NONE),
	COMMAND('M', 'O', 'D', 'E', FTP_OTHER, NOTATION_NONE),
	COMMAND('S', 'T', 'O', 'U', FTP_TRANSFER, NOTATION_NONE),
	COMMAND('A', 'P', 'P', 'E', FTP_TRANSFER, NOTATION_NONE),
	COMMAND('A', 'L', 'L', 'O', FTP_OTHER, NOTATION_NONE),
	COMMAND('R', 'E', 'S', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('R', 'N', 'F', 'R', FTP_OTHER, NOTATION_NONE),
	COMMAND('R', 'N', 'T', 'O', FTP_OTHER, NOTATION_NONE),
	COMMAND('A', 'B', 'O', 'R', FTP_OTHER, NOTATION_NONE),
	COMMAND('D', 'E', 'L', 'E', FTP_OTHER, NOTATION_NONE),
	COMMAND('R', 'M', 'D', 0, FTP_OTHER, NOTATION_NONE),
	COMMAND('M', 'K', 'D', 0, FTP_OTHER, NOTATION_NONE),
	COMMAND('P', 'W', 'D', 0, FTP_OTHER, NOTATION_NONE),
	COMMAND('N', 'L', 'S', 'T', FTP_TRANSFER, NOTATION_NONE),
	COMMAND('S', 'I', 'T', 'E', FTP_OTHER, NOTATION_NONE),
	COMMAND('S', 'Y', 'S', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('S', 'T', 'A', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('H', 'E', 'L', 'P', FTP_OTHER, NOTATION_NONE),
	COMMAND('F', 'E', 'A', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('O', 'P', 'T', 'S', FTP_OTHER, NOTATION_NONE),
	COMMAND('L', 'A', 'N', 'G', FTP_OTHER, NOTATION_NONE),
	COMMAND('H', 'O', 'S', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('C', 'L', 'N', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('M', 'D', 'T', 'M', FTP_OTHER, NOTATION_NONE),
	COMMAND('S', 'I', 'Z', 'E', FTP_OTHER, NOTATION_NONE),
	COMMAND('M', 'L', 'S', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('M', 'L', 'S', 'D', FTP_TRANSFER, NOTATION_NONE),
	COMMAND('M', 'F', 'M', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('M', 'F', 'C', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('M', 'F', 'F', 0, FTP_OTHER, NOTATION_NONE),
	COMMAND('C', 'S', 'I', 'D', FTP_OTHER, NOTATION_NONE),
	COMMAND('A', 'V', 'B', 'L', FTP_OTHER, NOTATION_NONE),
	COMMAND('A', 'D', 'A', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('P', 'B', 'S', 'Z', FTP_OTHER, NOTATION_NONE),
	COMMAND('P', 'R', 'O', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('C', 'C', 'C', 0, FTP_OTHER, NOTATION_NONE),
	COMMAND('M', 'I', 'C', 0, FTP_OTHER, NOTATION_NONE),
	COMMAND('C', 'O', 'N', 'F', FTP_OTHER, NOTATION_NONE),
	COMMAND('E', 'N', 'C', 0, FTP_OTHER, NOTATION_NONE),
	COMMAND('X', 'C', 'U', 'P', FTP_OTHER, NOTATION_NONE),
	COMMAND('X', 'C', 'W', 'D', FTP_OTHER, NOTATION_NONE),
	COMMAND('X', 'M', 'K', 'D', FTP_OTHER, NOTATION_NONE),
	COMMAND('X', 'P', 'W', 'D', FTP_OTHER, NOTATION_NONE),
	COMMAND('X', 'R', 'M', 'D', FTP_OTHER, NOTATION_NONE),
	COMMAND('X', 'S', 'H', 'A', FTP_OTHER, NOTATION_NONE),
	COMMAND('X', 'C', 'R', 'C', FTP_OTHER, NOTATION_NONE),
	COMMAND('X', 'M', 'D', '5', FTP_OTHER, NOTATION_NONE),
	COMMAND('X', 'A', 'U', 'T', FTP_OTHER, NOTATION_NONE),
	COMMAND('H', 'A', 'S', 'H', FTP_OTHER, NOTATION_NONE),
	COMMAND('R', 'A', 'N', 'G', FTP_OTHER, NOTATION_NONE),
	COMMAND('O', 'P', 'E', 'N', FTP_OTHER, NOTATION_NONE), /* what a proxy of FTP is told first */
	REPLY('2', '2', '7', FTP_PASV, NOTATION_HOST_PORT),
	REPLY('2', '2', '8', FTP_LPSV, NOTATION_LONG),
	REPLY('2', '2', '9', FTP_EPSV, NOTATION_EXTENDED_PORT),
};

/* Those that announce something, by what they announce. */
static const struct ftp_word *const announcing[][FTP_KINDS] = {
	[DIRECTION_ORIGINAL] = { [FTP_PORT] = &words[PLACE('P', 'O', 'R', 'T')],
				 [FTP_EPRT] = &words[PLACE('E', 'P', 'R', 'T')],
				 [FTP_LPRT] = &words[PLACE('L', 'P', 'R', 'T')] },
	[DIRECTION_REPLY] = { [FTP_PASV] = &words[PLACE('2', '2', '7', 0)],
			      [FTP_LPSV] = &words[PLACE('2', '2', '8', 0)],
			      [FTP_EPSV] = &words[PLACE('2', '2', '9', 0)] },
};

const struct ftp_word *ftp_word_find(enum direction side, const char text[FTP_WORD_MAX], size_t length)
{
	const struct ftp_word *row;
	uint32_t number;

	if (length > FTP_WORD_MAX)
		return NULL;
	number = bytes_get32((const uint8_t *)text) & (uint32_t)(~(uint64_t)0 << 8 * (FTP_WORD_MAX - length));
	row = &words[PLACE_OF(number)];
	return number && bytes_get32((const uint8_t *)row->text) == number && row->side == side ? row : NULL;
}

const struct ftp_word *ftp_word_announcing(enum direction side, enum ftp_kind kind)
{
	return announcing[side][kind];
}

uint8_t ftp_word_number(const struct ftp_word *word)
{
	return word ? (uint8_t)(word - words) : 0;
}

const struct ftp_word *ftp_word_of(uint8_t number)
{
	const struct ftp_word *row = &words[number];

	return row->text[0] && row->side == DIRECTION_ORIGINAL ? row : NULL;
}
