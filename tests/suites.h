// SPDX-License-Identifier: GPL-3.0-or-later

#pragma once

#include <check.h>

Suite *quote_suite(void);

Suite *report_suite(void);

Suite *units_suite(void);
