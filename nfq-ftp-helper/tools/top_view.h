/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * top_view - what top shows, and how it is drawn. Internal to tools.
 */
#ifndef ASKING_TOP_VIEW_H
#define ASKING_TOP_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum top_sort {
	TOP_BY_CLIENT,
	TOP_BY_SERVER,
	TOP_BY_STATE,
	TOP_BY_AGE,
	TOP_BY_IDLE,
	TOP_BY_EXPECTATIONS,
	TOP_SORTS,
};

struct top_view {
	json_t *status;	      /* what was answered last; NULL: nothing yet */
	json_t *sessions;     /* an array, sorted */
	json_t *expectations; /* of the session whose detail is shown */
	char complaint[256];  /* why nothing newer was; "": it was */
	enum top_sort sort;
	bool backwards;
	bool detail;
	size_t first;	 /* the row at the top */
	size_t selected; /* a row */
};

/* Sort the sessions as is wished, and select @selected where it is still among them. */
void top_view_sort(struct top_view *view, const json_t *selected);

/* The key by which it is sorted so. */
char top_view_key(enum top_sort sort);

/* The session that is selected; NULL: there is none. */
json_t *top_view_selected(const struct top_view *view);

void top_view_draw(struct top_view *view);

/* Rows of the table that there is room for. */
size_t top_view_rows(void);

#endif
