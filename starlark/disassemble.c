/*  disassemble: code as text, a line an instruction, read off opcodes.def. */
#include "starlark/code.h"
#include "starlark/ops.h"

static const struct {
    const char *name, *operands;
    int words;
} shapes[] = {
#define OP(name, words, operands, effect) {#name, operands, words},
#include "starlark/opcodes.def"
#undef OP
};

static void
put_constant(star_t *s, star_text_t *text, const sl_code_t *code, uint32_t index)
{
    star_text_puts(text, "  ; ");
    sl_put_value(s, text, code->constants[index], true);
}

static void
put_operands(star_t *s, star_text_t *text, const sl_code_t *code, size_t at)
{
    sl_instr_t instr = code->instrs[at],
               next = at + 1 < code->n_instrs ? code->instrs[at + 1] : instr;

    for (const char *p = shapes[instr.op].operands; *p != 0; p++)
        switch (*p) {
        case 'a':
            star_text_printf(text, " r%u", instr.a);
            break;
        case 'b':
            star_text_printf(text, " r%u", instr.b);
            break;
        case 'c':
            star_text_printf(text, " r%u", instr.c);
            break;
        case 'i':
            star_text_printf(text, " %d", instr.i);
            break;
        case 'n':
            star_text_printf(text, " %d", instr.d);
            break;
        case 'x':
            star_text_printf(text, " x%u", instr.x);
            break;
        case 'j':
            star_text_printf(text, " -> %lld", (long long)at + 1 + instr.d);
            break;
        case 'J':
            star_text_printf(text, " -> %lld", (long long)at + 2 + next.d);
            break;
        case 'k':
            put_constant(s, text, code, (uint32_t)instr.d);
            break;
        case 'N':
            put_constant(s, text, code, next.name);
            break;
        default:
            break;
        }
}

void
sl_disassemble(star_t *s, const sl_code_t *code, star_text_t *text)
{
    star_text_printf(text, "%s:%u:%u: %s: %u registers, %u parameters\n", code->file->bytes,
                     code->line, code->column, code->name->bytes, code->n_registers,
                     code->n_params_all);
    for (size_t at = 0; at < code->n_instrs; at += (size_t)shapes[code->instrs[at].op].words) {
        sl_place_t place = sl_code_place(code, &code->instrs[at + 1]);
        star_text_printf(text, "%6zu %5u:%-3u %-12s", at, place.line, place.column,
                         shapes[code->instrs[at].op].name);
        put_operands(s, text, code, at);
        star_text_puts(text, "\n");
    }
    for (size_t i = 0; i < code->n_constants; i++)
        if (sl_is(code->constants[i], SL_CODE))
            sl_disassemble(s, SL_AS(sl_code_t, code->constants[i]), text);
}

int
star_disassemble(star_t *star, const char *file, const char *text, size_t length, star_value_t env,
                 star_text_t *out)
{
    sl_globals_t *globals = NULL;
    sl_code_t *code = sl_compile(star, file, text, length, env, false, &globals);

    if (code == NULL)
        return -1;
    sl_disassemble(star, code, out);
    return out->failed ? -1 : 0;
}
