// Runs or compiles one of the programs under the Go implementation: peer [-check] FILE.
package main

import (
	"fmt"
	"os"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkjson"
	"go.starlark.net/starlarkstruct"
)

func main() {
	resolve.AllowRecursion = true
	predeclared := starlark.StringDict{
		"json":   starlarkjson.Module,
		"struct": starlark.NewBuiltin("struct", starlarkstruct.Make),
	}
	file := os.Args[len(os.Args)-1]
	var err error
	if len(os.Args) == 3 && os.Args[1] == "-check" {
		_, _, err = starlark.SourceProgram(file, nil, predeclared.Has)
	} else {
		thread := &starlark.Thread{Print: func(_ *starlark.Thread, text string) { fmt.Println(text) }}
		_, err = starlark.ExecFile(thread, file, nil, predeclared)
	}
	if failure, ok := err.(*starlark.EvalError); ok {
		fmt.Fprintln(os.Stderr, failure.Backtrace())
	} else if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil {
		os.Exit(1)
	}
}
