// The same as main.c, by Go's own text/template: go run main.go ROUNDS|--print DATA TEMPLATE...
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"text/template"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func render(text, data []byte, out *bytes.Buffer) {
	page, err := template.New("page").Parse(string(text))
	check(err)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value interface{}
	check(decoder.Decode(&value))
	check(page.Execute(out, value))
}

func main() {
	data, err := os.ReadFile(os.Args[2])
	check(err)
	var texts [][]byte
	for _, path := range os.Args[3:] {
		text, err := os.ReadFile(path)
		check(err)
		texts = append(texts, text)
	}
	var out bytes.Buffer
	prints := os.Args[1] == "--print"
	rounds := 1
	if !prints {
		rounds, err = strconv.Atoi(os.Args[1])
		check(err)
	}
	begin := time.Now()
	for ; rounds > 0; rounds-- {
		for _, text := range texts {
			if !prints {
				out.Reset()
			}
			render(text, data, &out)
		}
	}
	if prints {
		os.Stdout.Write(out.Bytes())
	} else {
		fmt.Printf("%.1f\n", float64(time.Since(begin).Microseconds())/1000)
	}
}
