/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * remedy - what can be done about a refusal at the two ends; what can be done at the router is refusal_advice().
 */
#ifndef EXPLAIN_REMEDY_H
#define EXPLAIN_REMEDY_H

#include "core/engine/report.h"

/* NULL: nothing there. */
const char *remedy_of(enum refusal refusal);

#endif
