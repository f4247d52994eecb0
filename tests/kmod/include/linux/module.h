/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kmod/compat.h takes from the kernel besides the header that it is about: enough to compile it as a program. This file
 * stands for all of the kernel's headers that it includes by the way.
 */
#ifndef TEST_KMOD_MODULE_H
#define TEST_KMOD_MODULE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THIS_MODULE		    ((struct module *)&this_module)
#define READ_ONCE(variable)	    (*(const volatile __typeof__(variable) *)&(variable))
#define WRITE_ONCE(variable, value) (*(volatile __typeof__(variable) *)&(variable) = (value))
#define __force
#define __rcu

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;

struct module;
struct nf_conn;
struct nlattr;
struct sk_buff;

enum ip_conntrack_info { IP_CT_ESTABLISHED };

static const char this_module;

#endif
