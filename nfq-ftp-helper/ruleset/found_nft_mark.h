/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * found_nft_mark - what nft's expressions have to do with the bits of marks.
 */
#ifndef RULESET_FOUND_NFT_MARK_H
#define RULESET_FOUND_NFT_MARK_H

#include "found.h"

#include <jansson.h>

/* A comparison: "ct mark & 0xff == 1". Return: whether it is of the connection's mark, and asks for what it says. */
bool found_nft_mark_match(struct found_marks *marks, const json_t *match);

/* The key of a map: all bits that it is made of are asked for. */
void found_nft_mark_key(struct found_marks *marks, const json_t *key);

/* An assignment: "meta mark set ct mark & 0xff". Return: whether it is one to a mark. */
bool found_nft_mark_set(struct found_marks *marks, const json_t *mangle);

#endif
