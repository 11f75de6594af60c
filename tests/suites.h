// SPDX-License-Identifier: GPL-3.0-or-later

#pragma once

#include <check.h>

Suite *aio_suite(void);

Suite *bar_suite(void);
Suite *beside_suite(void);

Suite *caution_suite(void);

Suite *change_suite(void);

Suite *clone_suite(void);

Suite *copy_suite(void);

Suite *correct_suite(void);

Suite *digest_suite(void);

Suite *durability_suite(void);

Suite *endpoint_suite(void);

Suite *extent_suite(void);

Suite *event_suite(void);

Suite *filter_suite(void);

Suite *hasher_suite(void);

Suite *hold_suite(void);

Suite *identity_suite(void);

Suite *job_suite(void);

Suite *journal_suite(void);

Suite *label_suite(void);

Suite *loop_suite(void);

Suite *memory_suite(void);

Suite *nearest_suite(void);

Suite *nocache_suite(void);

Suite *outcome_suite(void);

Suite *pace_suite(void);

Suite *plan_suite(void);

Suite *position_suite(void);

Suite *probe_suite(void);

Suite *progress_suite(void);

Suite *quote_suite(void);

Suite *reader_suite(void);

Suite *reblock_suite(void);

Suite *record_suite(void);

Suite *report_suite(void);

Suite *ring_suite(void);

Suite *safety_suite(void);

Suite *serial_suite(void);

Suite *submitter_suite(void);

Suite *transfer_suite(void);

Suite *units_suite(void);

Suite *verify_suite(void);

Suite *walk_suite(void);

Suite *writeback_suite(void);

Suite *writer_suite(void);
