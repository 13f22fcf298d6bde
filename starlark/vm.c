/*  vm: the loop that executes code. Opcodes are in opcodes.def.
 *
 *  The state of the running function is in locals: pc, R (its registers), K (its constants). The
 * frame has the pc only while something is called; FAIL() stores it for the call stack of the
 * error. Quick cases (small ints, floats, lists, cached attributes) are here, all others in
 * functions that get and give values.
 */
#include "starlark/machine.h"
#include "starlark/ops.h"

/* What an iteration costs of the budget is the distance it jumps back; a call costs this. */
enum { CALL_COST = 8 };

#define SPEND(cost)                                                                                \
    do {                                                                                           \
        if (SL_UNLIKELY((s->budget -= (cost)) < 0)) {                                              \
            SL_FRAME(s)->pc = pc;                                                                  \
            if (!sl_poll(s, true))                                                                 \
                goto fail;                                                                         \
        }                                                                                          \
    } while (0)

/* R[a] = value, or fail. `value` may run code of the host, which may look at the call stack. */
#define RESULT(value)                                                                              \
    do {                                                                                           \
        SL_FRAME(s)->pc = pc;                                                                      \
        value_t result_ = (value);                                                                 \
        if (SL_UNLIKELY(!star_ok(result_)))                                                        \
            goto fail;                                                                             \
        R[i.a] = result_;                                                                          \
    } while (0)

#define BOTH_INT(x, y) (((x).bits & (y).bits) >= SL_TAG_INT)
#define BOTH_FLOAT(x, y) (sl_is_float(x) && sl_is_float(y))

#define ARITHMETIC(OP, op, INT_CASE, float_op)                                                     \
    L_##OP:                                                                                        \
    {                                                                                              \
        value_t x = R[i.b], y = R[i.c];                                                            \
        if (SL_LIKELY(BOTH_INT(x, y)))                                                             \
            INT_CASE                                                                               \
        if (BOTH_FLOAT(x, y)) {                                                                    \
            R[i.a] = sl_float(sl_float_of(x) float_op sl_float_of(y));                             \
            NEXT();                                                                                \
        }                                                                                          \
        RESULT(sl_binary(s, op, x, y));                                                            \
        NEXT();                                                                                    \
    }

#define ADDITIVE(builtin_op)                                                                       \
    {                                                                                              \
        int64_t r;                                                                                 \
        if (SL_LIKELY(!builtin_op((int64_t)(x.bits << 16), (int64_t)(y.bits << 16), &r))) {        \
            R[i.a] = (value_t){SL_TAG_INT | (uint64_t)r >> 16};                                    \
            NEXT();                                                                                \
        }                                                                                          \
    }

#define IMMEDIATE(OP, op, ...)                                                                     \
    L_##OP:                                                                                        \
    {                                                                                              \
        value_t x = R[i.b];                                                                        \
        if (SL_LIKELY(sl_is_int(x)))                                                               \
            __VA_ARGS__                                                                            \
        RESULT(sl_binary(s, op, x, sl_small(i.i)));                                                \
        NEXT();                                                                                    \
    }

#define COMPARE(OP, op, sign)                                                                      \
    L_##OP:                                                                                        \
    {                                                                                              \
        value_t x = R[i.b], y = R[i.c];                                                            \
        if (SL_LIKELY(BOTH_INT(x, y))) {                                                           \
            R[i.a] = sl_bool(sl_int_of(x) sign sl_int_of(y));                                      \
            NEXT();                                                                                \
        }                                                                                          \
        SL_FRAME(s)->pc = pc;                                                                      \
        int holds = sl_compare(s, op, x, y, SL_COMPARE_DEPTH_MAX);                                 \
        if (SL_UNLIKELY(holds < 0))                                                                \
            goto fail;                                                                             \
        R[i.a] = sl_bool(holds);                                                                   \
        NEXT();                                                                                    \
    }

#define COMPARE_JUMP(OP, op, sign)                                                                 \
    L_J##OP:                                                                                       \
    {                                                                                              \
        value_t x = R[i.a], y = R[i.b];                                                            \
        bool holds;                                                                                \
        if (SL_LIKELY(BOTH_INT(x, y)))                                                             \
            holds = sl_int_of(x) sign sl_int_of(y);                                                \
        else                                                                                       \
            COMPARE_SLOWLY(op, sign, x, y)                                                         \
        pc += holds == i.x ? pc->d + 1 : 1;                                                        \
        NEXT();                                                                                    \
    }                                                                                              \
    L_J##OP##_INT:                                                                                 \
    {                                                                                              \
        value_t x = R[i.a], y = sl_small(i.i);                                                     \
        bool holds;                                                                                \
        if (SL_LIKELY(sl_is_int(x)))                                                               \
            holds = sl_int_of(x) sign i.i;                                                         \
        else                                                                                       \
            COMPARE_SLOWLY(op, sign, x, y)                                                         \
        pc += holds == i.x ? pc->d + 1 : 1;                                                        \
        NEXT();                                                                                    \
    }

#define COMPARE_SLOWLY(op, sign, x, y)                                                             \
    {                                                                                              \
        SL_FRAME(s)->pc = pc;                                                                      \
        int result = sl_compare(s, op, x, y, SL_COMPARE_DEPTH_MAX);                                \
        if (SL_UNLIKELY(result < 0))                                                               \
            goto fail;                                                                             \
        holds = result;                                                                            \
    }

#define NEXT()                                                                                     \
    do {                                                                                           \
        i = *pc++;                                                                                 \
        goto *labels[i.op];                                                                        \
    } while (0)

/* ------------------------------------------------------------------ attributes */

/* R[b].name by the cache or in full. Fills the cache for structs and modules (module members cannot
 * change). */
static value_t
get_attr(star_t *s, sl_notes_t *notes, value_t object, sl_instr_t word)
{
    sl_cache_t *cache = &notes->caches[word.cache];
    sl_string_t *name = SL_STRING_OF(notes->code->constants[word.name]);
    value_t result;

    if (sl_is(object, SL_STRUCT)) {
        sl_shape_t *shape = SL_AS(sl_struct_t, object)->shape;
        int index = sl_shape_find(shape, name);
        if (index >= 0) {
            cache->key = (uintptr_t)shape;
            cache->keeps = &shape->obj;
            cache->index = (uint32_t)index;
            return SL_AS(sl_struct_t, object)->values[index];
        }
    }
    int found = sl_attr(s, object, name, &result);
    if (found > 0) {
        if (sl_is(object, SL_MODULE) &&
            (SL_AS(sl_module_t, object)->members->obj.flags & SL_FROZEN)) {
            cache->key = (uintptr_t)sl_obj(object);
            cache->keeps = sl_obj(object);
            cache->value = result;
        }
        return result;
    }
    if (found == 0)
        sl_attr_missing(s, object, name);
    return STAR_ABSENT;
}

/* For METHOD: the function and its self in out[0], out[1]; out[1] is absent if there is no self to
 * give. */
static bool
get_method(star_t *s, sl_notes_t *notes, value_t object, sl_instr_t word, value_t out[2])
{
    if (sl_is_obj(object)) {
        sl_builtin_t *method =
            sl_method(s, sl_obj(object)->type, SL_STRING_OF(notes->code->constants[word.name]));
        if (method != NULL) {
            sl_cache_t *cache = &notes->caches[word.cache];
            cache->key = sl_obj(object)->type;
            cache->keeps = &method->obj;
            cache->value = sl_value(method);
            out[0] = cache->value;
            out[1] = object;
            return true;
        }
    }
    out[0] = get_attr(s, notes, object, word);
    out[1] = STAR_ABSENT;
    return star_ok(out[0]);
}

/* ------------------------------------------------------------------ the loop */

value_t
sl_machine_run(star_t *s)
{
    static const void *const labels[] = {
#define OP(name, words, operands, effect) &&L_##name,
#include "starlark/opcodes.def"
#undef OP
    };
    sl_frame_t *frame = SL_FRAME(s);
    const sl_instr_t *pc = frame->pc;
    value_t *R = frame->base;
    const value_t *K = frame->code->constants;
    sl_instr_t i;
    value_t callee;
    const value_t *args;
    size_t n_args;

    NEXT();

L_MOVE:
    R[i.a] = R[i.b];
    NEXT();
L_CONST:
    R[i.a] = K[i.d];
    NEXT();
L_INT:
    R[i.a] = sl_small(i.d);
    NEXT();
L_ABSENT:
    R[i.a] = STAR_ABSENT;
    NEXT();
L_CHECK:
    if (SL_UNLIKELY(!star_ok(R[i.a]))) {
        sl_fail(s, "local variable %s referenced before assignment", SL_STRING_OF(K[i.d])->bytes);
        goto fail;
    }
    NEXT();
L_CELL : {
    sl_cell_t *cell = sl_heap_new(s, SL_CELL, sizeof *cell);
    if (cell == NULL)
        goto fail;
    cell->value = R[i.a];
    R[i.a] = sl_value(cell);
    NEXT();
}
L_CELL_GET:
    R[i.a] = SL_AS(sl_cell_t, R[i.b])->value;
    NEXT();
L_CELL_SET:
    SL_AS(sl_cell_t, R[i.a])->value = R[i.b];
    NEXT();
L_FREE_GET : {
    sl_function_t *function = SL_FRAME(s)->function;
    value_t v = SL_AS(sl_cell_t, function->free[i.b])->value;
    if (SL_UNLIKELY(!star_ok(v))) {
        sl_fail(s, "local variable %s referenced before assignment",
                SL_STRING_OF(K[function->code->captures[i.b].name])->bytes);
        goto fail;
    }
    R[i.a] = v;
    NEXT();
}
L_GLOBAL_GET : {
    const sl_globals_t *globals = SL_FRAME(s)->function->globals;
    value_t v = globals->slots[i.d];
    if (SL_UNLIKELY(!star_ok(v))) {
        sl_fail(s, "global variable %s referenced before assignment",
                SL_STRING_OF(SL_TUPLE_OF(globals->names)->items[i.d])->bytes);
        goto fail;
    }
    R[i.a] = v;
    NEXT();
}
L_GLOBAL_SET:
    SL_FRAME(s)->function->globals->slots[i.d] = R[i.a];
    NEXT();

    ARITHMETIC(ADD, STAR_OP_ADD, ADDITIVE(__builtin_add_overflow), +)
    ARITHMETIC(SUB, STAR_OP_SUB, ADDITIVE(__builtin_sub_overflow), -)
    ARITHMETIC(
        MUL, STAR_OP_MUL,
        {
            int64_t r;
            if (SL_LIKELY(!__builtin_mul_overflow(sl_int_of(x), (int64_t)(y.bits << 16), &r))) {
                R[i.a] = (value_t){SL_TAG_INT | (uint64_t)r >> 16};
                NEXT();
            }
        },
            *)
L_DIV : {
    value_t x = R[i.b], y = R[i.c];
    if (BOTH_FLOAT(x, y) && sl_float_of(y) != 0) {
        R[i.a] = sl_float(sl_float_of(x) / sl_float_of(y));
        NEXT();
    }
    RESULT(sl_binary(s, STAR_OP_DIV, x, y));
    NEXT();
}
L_FLOORDIV : {
    value_t x = R[i.b], y = R[i.c];
    if (SL_LIKELY(BOTH_INT(x, y)) && sl_int_of(y) != 0) {
        int64_t a = sl_int_of(x), b = sl_int_of(y), q = a / b;
        R[i.a] = sl_small(q - ((a ^ b) < 0 && q * b != a));
        if (SL_LIKELY(q != SL_INT_MAX + 1))
            NEXT();
    }
    RESULT(sl_binary(s, STAR_OP_FLOORDIV, x, y));
    NEXT();
}
L_MOD : {
    value_t x = R[i.b], y = R[i.c];
    if (SL_LIKELY(BOTH_INT(x, y)) && sl_int_of(y) != 0) {
        int64_t b = sl_int_of(y), r = sl_int_of(x) % b;
        R[i.a] = sl_small(r != 0 && (r ^ b) < 0 ? r + b : r);
        NEXT();
    }
    RESULT(sl_binary(s, STAR_OP_MOD, x, y));
    NEXT();
}
L_AND : {
    value_t x = R[i.b], y = R[i.c];
    if (SL_LIKELY(BOTH_INT(x, y))) {
        R[i.a].bits = x.bits & y.bits;
        NEXT();
    }
    RESULT(sl_binary(s, STAR_OP_AND, x, y));
    NEXT();
}
L_OR : {
    value_t x = R[i.b], y = R[i.c];
    if (SL_LIKELY(BOTH_INT(x, y))) {
        R[i.a].bits = x.bits | y.bits;
        NEXT();
    }
    RESULT(sl_binary(s, STAR_OP_OR, x, y));
    NEXT();
}
L_XOR : {
    value_t x = R[i.b], y = R[i.c];
    if (SL_LIKELY(BOTH_INT(x, y))) {
        R[i.a].bits = SL_TAG_INT | (x.bits ^ y.bits);
        NEXT();
    }
    RESULT(sl_binary(s, STAR_OP_XOR, x, y));
    NEXT();
}
L_SHL:
    RESULT(sl_binary(s, STAR_OP_LSHIFT, R[i.b], R[i.c]));
    NEXT();
L_SHR : {
    value_t x = R[i.b], y = R[i.c];
    if (SL_LIKELY(BOTH_INT(x, y)) && (uint64_t)sl_int_of(y) < 48) {
        R[i.a] = sl_small(sl_int_of(x) >> sl_int_of(y));
        NEXT();
    }
    RESULT(sl_binary(s, STAR_OP_RSHIFT, x, y));
    NEXT();
}
    IMMEDIATE(ADD_INT, STAR_OP_ADD, {
        int64_t r = sl_int_of(x) + i.i;
        if (SL_LIKELY(sl_int_fits(r))) {
            R[i.a] = sl_small(r);
            NEXT();
        }
    })
    IMMEDIATE(SUB_INT, STAR_OP_SUB, {
        int64_t r = sl_int_of(x) - i.i;
        if (SL_LIKELY(sl_int_fits(r))) {
            R[i.a] = sl_small(r);
            NEXT();
        }
    })
    IMMEDIATE(MUL_INT, STAR_OP_MUL, {
        int64_t r;
        if (SL_LIKELY(!__builtin_mul_overflow((int64_t)(x.bits << 16), i.i, &r))) {
            R[i.a] = (value_t){SL_TAG_INT | (uint64_t)r >> 16};
            NEXT();
        }
    })
    IMMEDIATE(
        FLOORDIV_INT, STAR_OP_FLOORDIV, if (SL_LIKELY(i.i > 0)) {
            int64_t a = sl_int_of(x), b = i.i, q = a / b;
            R[i.a] = sl_small(q - (a < 0 && q * b != a));
            NEXT();
        })
    IMMEDIATE(
        MOD_INT, STAR_OP_MOD, if (SL_LIKELY(i.i > 0)) {
            int64_t r = sl_int_of(x) % i.i;
            R[i.a] = sl_small(r < 0 ? r + i.i : r);
            NEXT();
        })
L_ADD_IN : {
    value_t x = R[i.b], y = R[i.c];
    if (SL_LIKELY(BOTH_INT(x, y)))
        ADDITIVE(__builtin_add_overflow)
    if (BOTH_FLOAT(x, y)) {
        R[i.a] = sl_float(sl_float_of(x) + sl_float_of(y));
        NEXT();
    }
    RESULT(sl_add_in(s, x, y));
    NEXT();
}
L_OR_IN:
    RESULT(sl_or_in(s, R[i.b], R[i.c]));
    NEXT();
L_NEG:
    RESULT(sl_negate(s, R[i.b]));
    NEXT();
L_POS:
    RESULT(sl_plus(s, R[i.b]));
    NEXT();
L_INVERT:
    RESULT(sl_invert(s, R[i.b]));
    NEXT();
L_NOT:
    R[i.a] = sl_bool(!sl_truth(R[i.b]));
    NEXT();
L_IN:
L_NOT_IN : {
    SL_FRAME(s)->pc = pc;
    int found = sl_contains(s, R[i.c], R[i.b]);
    if (SL_UNLIKELY(found < 0))
        goto fail;
    R[i.a] = sl_bool(found == (i.op == SL_OP_IN));
    NEXT();
}
    COMPARE(EQ, STAR_EQ, ==)
    COMPARE(NE, STAR_NE, !=)
    COMPARE(LT, STAR_LT, <)
    COMPARE(LE, STAR_LE, <=)
    COMPARE(GT, STAR_GT, >)
    COMPARE(GE, STAR_GE, >=)

L_JUMP:
    pc += i.d;
    NEXT();
L_LOOP:
    SPEND(-i.d);
    pc += i.d;
    NEXT();
L_JTRUE : {
    value_t v = R[i.a];
    if (sl_same(v, SL_TRUE) || (!sl_is_bool(v) && sl_truth(v)))
        pc += i.d;
    NEXT();
}
L_JFALSE : {
    value_t v = R[i.a];
    if (sl_same(v, SL_FALSE) || (!sl_is_bool(v) && !sl_truth(v)))
        pc += i.d;
    NEXT();
}
    COMPARE_JUMP(EQ, STAR_EQ, ==)
    COMPARE_JUMP(NE, STAR_NE, !=)
    COMPARE_JUMP(LT, STAR_LT, <)
    COMPARE_JUMP(LE, STAR_LE, <=)
    COMPARE_JUMP(GT, STAR_GT, >)
    COMPARE_JUMP(GE, STAR_GE, >=)

L_ATTR : {
    sl_instr_t word = *pc++;
    value_t object = R[i.b];
    sl_notes_t *notes = SL_FRAME(s)->notes;
    const sl_cache_t *cache = &notes->caches[word.cache];
    if (SL_LIKELY(sl_is_obj(object))) {
        if (sl_obj(object)->type == SL_STRUCT &&
            (uintptr_t)SL_AS(sl_struct_t, object)->shape == cache->key) {
            R[i.a] = SL_AS(sl_struct_t, object)->values[cache->index];
            NEXT();
        }
        if ((uintptr_t)sl_obj(object) == cache->key) {
            R[i.a] = cache->value;
            NEXT();
        }
    }
    RESULT(get_attr(s, notes, object, word));
    NEXT();
}
L_SET_ATTR : {
    sl_instr_t word = *pc++;
    SL_FRAME(s)->pc = pc;
    if (!sl_set_attr(s, R[i.a], SL_STRING_OF(K[word.name]), R[i.b]))
        goto fail;
    NEXT();
}
L_INDEX : {
    value_t container = R[i.b], key = R[i.c];
    if (SL_LIKELY(sl_is_obj(container))) {
        if (sl_is_int(key)) {
            uint64_t index = (uint64_t)sl_int_of(key);
            if (sl_obj(container)->type == SL_LIST && index < SL_LIST_OF(container)->count) {
                R[i.a] = SL_LIST_OF(container)->items[index];
                NEXT();
            }
            if (sl_obj(container)->type == SL_TUPLE && index < sl_obj(container)->extra) {
                R[i.a] = SL_TUPLE_OF(container)->items[index];
                NEXT();
            }
            if (sl_obj(container)->type == SL_DICT) {
                sl_entry_t *entry = sl_dict_lookup(s, SL_DICT_OF(container), key, sl_int_hash(key));
                if (SL_LIKELY(entry != NULL)) {
                    R[i.a] = entry->value;
                    NEXT();
                }
            }
        } else if (sl_obj(container)->type == SL_DICT && sl_is(key, SL_STRING)) {
            sl_entry_t *entry = sl_dict_lookup_string(SL_DICT_OF(container), SL_STRING_OF(key));
            if (SL_LIKELY(entry != NULL)) {
                R[i.a] = entry->value;
                NEXT();
            }
        }
    }
    RESULT(sl_index(s, container, key));
    NEXT();
}
L_SET_INDEX : {
    value_t container = R[i.a], key = R[i.b];
    if (sl_is(container, SL_LIST) && sl_is_int(key) && !(sl_obj(container)->flags & SL_FROZEN) &&
        sl_obj(container)->extra == 0 && (uint64_t)sl_int_of(key) < SL_LIST_OF(container)->count) {
        SL_LIST_OF(container)->items[sl_int_of(key)] = R[i.c];
        NEXT();
    }
    SL_FRAME(s)->pc = pc;
    if (!sl_set_index(s, container, key, R[i.c]))
        goto fail;
    NEXT();
}
L_SLICE:
    RESULT(sl_slice(s, R[i.b], R[i.b + 1], R[i.b + 2], R[i.b + 3]));
    NEXT();
L_LIST : {
    sl_list_t *list = sl_list_new(s, i.c);
    if (list == NULL)
        goto fail;
    for (int j = 0; j < i.c; j++)
        list->items[j] = R[i.b + j];
    list->count = i.c;
    R[i.a] = sl_value(list);
    NEXT();
}
L_TUPLE:
    RESULT(sl_tuple_of(s, &R[i.b], i.c));
    NEXT();
L_DICT : {
    sl_dict_t *dict = sl_dict_new(s, SL_DICT, 0);
    if (dict == NULL)
        goto fail;
    R[i.a] = sl_value(dict);
    NEXT();
}
L_LIST_ADD : {
    sl_list_t *list = SL_LIST_OF(R[i.a]);
    if (SL_LIKELY(list->count < list->capacity)) {
        list->items[list->count++] = R[i.b];
        NEXT();
    }
    if (!sl_list_push(s, list, R[i.b]))
        goto fail;
    NEXT();
}
L_LIST_TUPLE:
    RESULT(sl_tuple_of(s, SL_LIST_OF(R[i.b])->items, SL_LIST_OF(R[i.b])->count));
    NEXT();
L_DICT_ADD:
    SL_FRAME(s)->pc = pc;
    if (!sl_op_dict_add(s, R[i.a], R[i.b], R[i.c]))
        goto fail;
    NEXT();
L_DICT_SET:
    SL_FRAME(s)->pc = pc;
    if (!sl_dict_store(s, SL_DICT_OF(R[i.a]), R[i.b], R[i.c]))
        goto fail;
    NEXT();
L_UNPACK : {
    value_t from = R[i.b];
    if (SL_LIKELY(sl_is(from, SL_TUPLE) && sl_obj(from)->extra == i.c)) {
        for (int j = 0; j < i.c; j++)
            R[i.a + j] = SL_TUPLE_OF(from)->items[j];
        NEXT();
    }
    SL_FRAME(s)->pc = pc;
    if (!sl_op_unpack(s, from, &R[i.a], i.c))
        goto fail;
    NEXT();
}

L_METHOD : {
    sl_instr_t word = *pc++;
    value_t object = R[i.b];
    sl_notes_t *notes = SL_FRAME(s)->notes;
    const sl_cache_t *cache = &notes->caches[word.cache];
    if (SL_LIKELY(sl_is_obj(object))) {
        if (sl_obj(object)->type == cache->key) {
            R[i.a] = cache->value;
            R[i.a + 1] = object;
            NEXT();
        }
        if (sl_obj(object)->type == SL_STRUCT &&
            (uintptr_t)SL_AS(sl_struct_t, object)->shape == cache->key) {
            R[i.a] = SL_AS(sl_struct_t, object)->values[cache->index];
            R[i.a + 1] = STAR_ABSENT;
            NEXT();
        }
        if ((uintptr_t)sl_obj(object) == cache->key) {
            R[i.a] = cache->value;
            R[i.a + 1] = STAR_ABSENT;
            NEXT();
        }
    }
    value_t pair[2];
    SL_FRAME(s)->pc = pc;
    if (!get_method(s, notes, object, word, pair))
        goto fail;
    R[i.a] = pair[0];
    R[i.a + 1] = pair[1];
    NEXT();
}
L_CALL_METHOD:
    SPEND(CALL_COST);
    callee = R[i.a];
    args = &R[i.a + 2];
    n_args = i.b;
    if (SL_LIKELY(star_ok(R[i.a + 1]))) { /* a method of a built-in type */
        SL_FRAME(s)->pc = pc;
        value_t result =
            sl_call_native(s, SL_AS(sl_builtin_t, callee), R[i.a + 1], args, n_args, NULL, NULL, 0);
        if (SL_UNLIKELY(!star_ok(result)))
            goto fail;
        R[i.a] = result;
        NEXT();
    }
    goto call;
L_CALL:
    SPEND(CALL_COST);
    callee = R[i.a];
    args = &R[i.a + 1];
    n_args = i.b;
call:
    frame = SL_FRAME(s);
    frame->pc = pc;
    if (SL_LIKELY(sl_is(callee, SL_FUNCTION))) {
        sl_function_t *function = SL_AS(sl_function_t, callee);
        sl_code_t *code = function->code;
        sl_notes_t *notes = sl_notes_of(s, code);
        value_t *base = (value_t *)args;
        if (SL_UNLIKELY(notes == NULL))
            goto fail;
        if (SL_LIKELY(code->simple && code->n_params == n_args &&
                      base + code->n_registers <= frame->limit &&
                      s->n_frames < s->frames_capacity &&
                      (notes->active == 0 || (s->options.dialect & STAR_DIALECT_RECURSION)))) {
            value_t *limit = frame->limit;
            notes->active++;
            frame = &s->frames[s->n_frames++];
            frame->code = code;
            frame->notes = notes;
            frame->function = function;
            frame->base = base;
            frame->limit = limit;
            frame->native = NULL;
            frame->result = &R[i.a];
        } else {
            if (!sl_enter(s, function, base, frame->limit, args, n_args, NULL, NULL, 0, &R[i.a]))
                goto fail_called;
            frame = SL_FRAME(s);
        }
        R = frame->base;
        K = code->constants;
        pc = code->instrs;
        NEXT();
    }
    if (sl_is(callee, SL_BUILTIN)) {
        value_t result = sl_call_native(s, SL_AS(sl_builtin_t, callee), STAR_ABSENT, args, n_args,
                                        NULL, NULL, 0);
        if (SL_UNLIKELY(!star_ok(result)))
            goto fail;
        R[i.a] = result;
        NEXT();
    }
    RESULT(sl_call_other(s, callee, args, n_args, NULL, NULL, 0));
    NEXT();
L_CALL_FULL : {
    sl_instr_t word = *pc++;
    SPEND(CALL_COST);
    frame = SL_FRAME(s);
    frame->pc = pc;
    bool method = i.x & 1;
    value_t self = method ? R[i.a + 1] : STAR_ABSENT;
    const value_t *names = SL_TUPLE_OF(K[word.name])->items, *named;
    size_t n_named = i.c;
    callee = R[i.a];
    args = &R[i.a + 1 + method];
    n_args = i.b;
    named = args + n_args;
    if (i.x & 6) {
        value_t *extra = (value_t *)named + n_named;
        value_t varargs = i.x & 2 ? *extra++ : STAR_ABSENT;
        value_t kwargs = i.x & 4 ? *extra++ : STAR_ABSENT;
        sl_spread_t spread;
        if (!sl_spread(s, args, n_args, names, n_named, varargs, kwargs, &spread))
            goto fail;
        extra[-1] = sl_value(spread.all); /* so that it stays alive */
        args = spread.all->items;
        n_args = spread.n_args;
        n_named = spread.n_named;
        names = args + n_args;
        named = names + n_named;
    }
    if (sl_is(callee, SL_FUNCTION)) {
        if (!sl_enter(s, SL_AS(sl_function_t, callee), &R[i.a + 1 + method], frame->limit, args,
                      n_args, names, named, n_named, &R[i.a]))
            goto fail_called;
        frame = SL_FRAME(s);
        R = frame->base;
        K = frame->code->constants;
        pc = frame->code->instrs;
        NEXT();
    }
    if (star_ok(self))
        RESULT(sl_call_native(s, SL_AS(sl_builtin_t, callee), self, args, n_args, names, named,
                              n_named));
    else
        RESULT(sl_call_other(s, callee, args, n_args, names, named, n_named));
    NEXT();
}
L_RETURN : {
    value_t result = R[i.a];
    frame = SL_FRAME(s);
    frame->notes->active--;
    *frame->result = result;
    s->n_frames--;
    frame--;
    if (SL_UNLIKELY(frame->code == NULL))
        return result;
    R = frame->base;
    K = frame->code->constants;
    pc = frame->pc;
    NEXT();
}
L_RETURN_NONE:
    frame = SL_FRAME(s);
    frame->notes->active--;
    *frame->result = SL_NONE;
    s->n_frames--;
    frame--;
    if (SL_UNLIKELY(frame->code == NULL))
        return SL_NONE;
    R = frame->base;
    K = frame->code->constants;
    pc = frame->pc;
    NEXT();
L_FUNCTION:
    RESULT(
        sl_op_make_function(s, SL_FRAME(s), SL_AS(sl_code_t, K[i.d]), i.x ? R[i.a] : STAR_ABSENT));
    NEXT();
L_ITER : {
    value_t container = R[i.b];
    SL_FRAME(s)->pc = pc;
    if (!sl_iter_start(s, container))
        goto fail;
    R[i.a] = container;
    R[i.a + 1] = sl_small(0);
    NEXT();
}
L_NEXT : {
    value_t container = R[i.a];
    uint64_t cursor = (uint64_t)sl_int_of(R[i.a + 1]);
    sl_type_t type = sl_obj(container)->type;
    if (SL_LIKELY(type == SL_LIST)) {
        if (cursor >= SL_LIST_OF(container)->count) {
            pc++;
            NEXT();
        }
        R[i.b] = SL_LIST_OF(container)->items[cursor++];
    } else if (type == SL_RANGE && SL_AS(sl_range_t, container)->count <= SL_INT_MAX) {
        const sl_range_t *range = SL_AS(sl_range_t, container);
        if ((int64_t)cursor >= range->count) {
            pc++;
            NEXT();
        }
        value_t item = {0};
        int64_t number = range->start + (int64_t)cursor * range->step;
        if (SL_LIKELY(sl_int_fits(number)))
            item = sl_small(number);
        else if (item = sl_int(s, number), !star_ok(item))
            goto fail;
        R[i.b] = item;
        cursor++;
    } else {
        value_t item;
        SL_FRAME(s)->pc = pc;
        int more = sl_next(s, container, &cursor, &item);
        if (more <= 0) {
            if (more < 0)
                goto fail;
            pc++;
            NEXT();
        }
        R[i.b] = item;
    }
    R[i.a + 1] = sl_small((int64_t)cursor);
    SPEND(-pc->d);
    pc += pc->d + 1;
    NEXT();
}
L_ITER_END:
    sl_iter_done(R[i.a]);
    NEXT();
L_LOAD:
    RESULT(sl_op_load_file(s, K[i.d]));
    NEXT();
L_LOAD_NAME : {
    sl_instr_t word = *pc++;
    RESULT(sl_op_loaded_name(s, R[i.b], R[i.b + 1], SL_STRING_OF(K[word.name])));
    NEXT();
}

fail:
    SL_FRAME(s)->pc = pc;
fail_called:
    sl_error_capture(s);
    sl_unwind(s);
    return STAR_ABSENT;
}
