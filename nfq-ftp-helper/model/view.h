/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view - the two places from which the model's connections are seen.
 */
#ifndef MODEL_VIEW_H
#define MODEL_VIEW_H

enum model_view {
	MODEL_INSIDE,  /* as the engine sees addresses: before source and after destination NAT */
	MODEL_OUTSIDE, /* as the other side of the NAT sees them */
	MODEL_VIEWS,
};

static inline enum model_view model_view_other(enum model_view view)
{
	return view == MODEL_INSIDE ? MODEL_OUTSIDE : MODEL_INSIDE;
}

#endif
