/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bytes - numbers as they stand in packets and files: big-endian, wherever they begin. Whoever reads has looked at the length before.
 * And what a byte of text is, in ASCII, whatever the locale.
 */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include "types.h"

/* Big-endian there, host order here. */
static inline uint16_t bytes_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t bytes_get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void bytes_put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void bytes_put32(uint8_t *at, uint32_t value)
{
	bytes_put16(at, (uint16_t)(value >> 16));
	bytes_put16(at + 2, (uint16_t)value);
}

static inline bool bytes_is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

static inline bool bytes_is_letter(uint8_t byte)
{
	return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

/* A letter's, and everything else as it is. */
static inline uint8_t bytes_upper(uint8_t byte)
{
	return bytes_is_letter(byte) ? (uint8_t)(byte & ~0x20) : byte;
}

#endif
