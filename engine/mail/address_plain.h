/* The From value that nearly every message has, read in one pass. Internal. */
#ifndef MAIL_ADDRESS_PLAIN_H
#define MAIL_ADDRESS_PLAIN_H

#include "mail/address.h"

/*
 * True, and *address set, where the value is one address in one of the forms of address_plain.c;
 * its spans are parts of `value`. There is no anomaly in such a value. False says nothing about it.
 */
bool address_plain(struct span value, struct mail_address *address) MUST_CHECK;

#endif
