/* The files of model/ as bytes of the program. */
#define MODEL_FILE(id, path)               \
	.globl model_text_##id, model_end_##id ; \
	model_text_##id: .incbin path          ; \
	model_end_##id: .byte 0                ;

	.section .rodata
#include "api/model_files.tbl.h"
	.section .note.GNU-stack, "", %progbits
