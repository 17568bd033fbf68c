package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// mostLog bounds the log's file, in bytes. The one before it is kept beside it.
	mostLog = 1 << 20
	// newestLines is how much of a log a status has.
	newestLines = 5
	// newestBytes bounds what is read of a log for that.
	newestBytes = 16 << 10
)

// RunCommand is what follows `relay service` where the system keeps no log: relay keeps one itself.
const RunCommand = "run"

// Logged returns arguments with which relay does what args say, and keeps a log.
func Logged(log string, args []string) []string {
	return append([]string{"service", RunCommand, log}, args...)
}

// Log is a file for what relay says, of bounded size. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	path string
	most int64
	file *os.File
	size int64
}

// OpenLog opens the file, at its end, and notes that this process runs, until Close.
func OpenLog(path string, now time.Time) (*Log, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	l := &Log{path: path, most: mostLog}
	if err := l.open(); err != nil {
		return nil, err
	}
	note, _ := json.Marshal(running{os.Getpid(), now}) // no part of it can fail
	if err := write(path+".run", string(note)); err != nil {
		l.file.Close()
		return nil, err
	}
	fmt.Fprintf(l, "%s relay starts, process %d\n", now.Format(time.RFC3339), os.Getpid())
	return l, nil
}

func (l *Log) open() error {
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	l.file, l.size = f, fi.Size()
	return nil
}

// Write appends to the file, and begins another one when it is full. A log that cannot be written ends
// nothing: what it would have had is lost.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(p)) > l.most {
		l.file.Close() // before the name changes: Windows wants it so
		l.file = nil
		if os.Rename(l.path, l.path+".old") != nil { // somebody holds that one
			_ = os.Truncate(l.path, 0)
		}
	}
	if l.file == nil && l.open() != nil {
		l.size = 0
		return len(p), nil // until it can be opened again
	}
	n, _ := l.file.Write(p)
	l.size += int64(n)
	return len(p), nil
}

// Close ends the log and the note.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := os.Remove(l.path + ".run")
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
	}
	return err
}

// running notes a process that keeps a log.
type running struct {
	Process int       `json:"process"`
	Since   time.Time `json:"since"`
}

// runs reads that note. A process that was killed has left it there.
func runs(log string) (pid int, since time.Time, ok bool) {
	b, err := os.ReadFile(log + ".run")
	var r running
	if err != nil || json.Unmarshal(b, &r) != nil || r.Process <= 0 || !alive(r.Process) {
		return 0, time.Time{}, false
	}
	return r.Process, r.Since, true
}

// alive reports whether there is a process of that number.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer p.Release()
	return runtime.GOOS == "windows" || p.Signal(syscall.Signal(0)) == nil
}

// newestOf returns the last lines of a file.
func newestOf(path string) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	if fi, err := f.Stat(); err == nil && fi.Size() > newestBytes {
		_, _ = f.Seek(-newestBytes, io.SeekEnd)
	}
	b, _ := io.ReadAll(io.LimitReader(f, newestBytes))
	return newest(string(b))
}

func newest(text string) []string {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	return lines[max(0, len(lines)-newestLines):]
}
