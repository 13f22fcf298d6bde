/*  Every operation that an orchestrator's driver has is in a test of the suite that all drivers pass. Run from the top of
 *  the tree. */
#include "base/auto.h"
#include "base/file.h"
#include "base/str.h"
#include "bus/schema/orchestrator.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <string.h>

#define SUITE "tests/contract/*.c"
#define SUITE_MAX 1000000u /* bytes of one of its files */

/* Whether a test asks for the operation: its name stands there as a text. */
static bool
is_asked(const char *suite, const char *operation)
{
    AUTO_FREE char *quoted = str_format("\"%s\"", operation);
    return strstr(suite, quoted) != NULL;
}

static void
every_operation_of_a_driver_is_in_the_contract_suite(void **state)
{
    (void)state;
    AUTO_STR suite = STR_EMPTY;
    glob_t found;
    assert_int_equal(glob(SUITE, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        assert_int_equal(file_read_text(found.gl_pathv[i], SUITE_MAX, &suite, NULL), 0);
    globfree(&found);
    const ProtobufCServiceDescriptor *service = &orchestrator__orchestrator__descriptor;
    size_t missing = 0;
    for (size_t i = 0; i < service->n_methods; i++)
        if (!is_asked(suite.data, service->methods[i].name)) {
            fprintf(stderr, "    no test of " SUITE " asks for %s\n", service->methods[i].name);
            missing++;
        }
    assert_int_equal(missing, 0);
    assert_false(is_asked(suite.data, "NoSuchOperation"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_of_a_driver_is_in_the_contract_suite),
    };
    return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
