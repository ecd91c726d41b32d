package main

import (
	"fmt"
	"os"
	"time"
)

// beats is the log that all leaders append to, in the form that tests/faults/line.rs reads: `<kind> <token>.<first pid> <pid> <candidate> -
// <milliseconds since 1970>`. A line is one write to a file opened for appending, so the order of lines is the order of writes.
type beats struct {
	candidate int
	file      *os.File
	token     string
}

func openBeats(path, token string, candidate int) (*beats, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &beats{candidate, file, token}, nil
}

func (b *beats) tell(kind string) {
	pid := os.Getpid()
	line := fmt.Sprintf("%s %s.%d %d %d - %d\n", kind, b.token, pid, pid, b.candidate, time.Now().UnixMilli())
	if _, err := b.file.WriteString(line); err != nil {
		panic(err)
	}
}

func (b *beats) close() { b.file.Close() }
