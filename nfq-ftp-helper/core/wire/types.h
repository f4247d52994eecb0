/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The integer types core is written in, and the one place that knows whether it is compiled for user space or
 * for the kernel: what kmod shares (KMOD_CORE in Makefile) includes this, each other, and nothing else.
 */
#ifndef CORE_TYPES_H
#define CORE_TYPES_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#endif

#endif
