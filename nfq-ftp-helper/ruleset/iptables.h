/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iptables - the rules as chains of iptables and ip6tables.
 */
#ifndef RULESET_IPTABLES_H
#define RULESET_IPTABLES_H

#include "backend.h"

extern const struct backend iptables_backend;

#endif
