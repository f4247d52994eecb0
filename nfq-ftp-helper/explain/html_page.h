/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * html_page - what of the page is always the same: how it looks, and its search.
 */
#ifndef EXPLAIN_HTML_PAGE_H
#define EXPLAIN_HTML_PAGE_H

extern const char html_style[];
extern const char html_script[];

/* The script's SHA-256 in base64, by which the page lets it run, and no other. tests/replay compares. */
extern const char html_script_hash[];

#endif
