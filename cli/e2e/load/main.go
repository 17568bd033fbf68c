//go:build e2e && linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// loopArg makes this program the bare loop.
	loopArg = "bare-loop"
	// bareReaderArg makes it the bare reader of the address that follows.
	bareReaderArg = "bare-reader"
	// pinned is set once this process has its core: those for servers, and those for itself.
	pinned = "RELAY_LOAD_PINNED"
)

// options are what the flags say.
type options struct {
	plan
	counts  []int
	who     []contestant
	repeats int
	soak    time.Duration
	idle    time.Duration
	inputs  string
	rate    int
	churn   int
	starts  int
	md, svg string
	lock    string
	table   *table
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == loopArg {
		exit(serveLoop(os.Stdout))
	}
	if len(os.Args) == 3 && os.Args[1] == bareReaderArg {
		exit(readBare(os.Args[2], os.Stdout))
	}
	o, err := read()
	if err == nil {
		debug.SetGCPercent(400) // memory to spare, and a core that has better to do
		runtime.GOMAXPROCS(4)   // the system shares the core between publisher and crowds
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
		defer stop()
		switch {
		case o.starts > 0:
			err = o.plan.starts(ctx, o.starts)
		case o.inputs != "":
			err = o.machine.inputs(ctx, o.inputs, o.rate, o.window)
		case o.idle > 0:
			err = o.plan.idle(ctx, o.idle)
		case o.soak > 0:
			err = o.plan.soak(ctx, o.soak, o.churn)
		default:
			err = o.run(ctx)
		}
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "load: error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// read reads the flags and opens what they name. It comes back on a core of its own.
func read() (o *options, err error) {
	o = &options{}
	counts := flag.String("n", "50,200,1000", "viewers, comma separated")
	servers := flag.String("servers", "loop,nginx,flv", "servers, comma separated: "+strings.Join(names(), ", ")+"; the loop is what the others are compared with")
	flag.IntVar(&o.repeats, "repeats", 3, "how often each server is measured with each number of viewers")
	flag.DurationVar(&o.window, "for", 10*time.Second, "that is measured")
	flag.DurationVar(&o.warm, "warm", 3*time.Second, "before that, when all viewers are there")
	flag.IntVar(&o.stalled, "stalled", 0, "viewers that take nothing, besides the others; the bare loop and its other viewers would wait for them, so name no loop in -servers then")
	flag.IntVar(&o.burst, "burst", 0, "viewers that come in the first second of what is measured, besides the others; what they wait for their first tag is told")
	flag.IntVar(&o.joins, "joins", 0, "viewers that come one after the other in what is measured, besides the others, and leave when they have a key frame; how long that takes is told")
	flag.BoolVar(&o.shared, "share", false, "let the server and the viewers share two cores, as for a crowd that is too much for one core on either side")
	flag.BoolVar(&o.machine.sound, "sound", false, "leave the pictures out; a -rate beyond that of the clip's sound makes this longer")
	flag.DurationVar(&o.soak, "soak", 0, "instead of all that: let viewers of ours come and leave for that long, and look whether what the server holds has grown")
	flag.IntVar(&o.churn, "churn", 50, "viewers that come each second of a soak")
	flag.IntVar(&o.starts, "starts", 0, "instead of all that: start ours so often, and tell how long it takes until it listens")
	flag.DurationVar(&o.idle, "idle", 0, "instead of all that: let relay watch take the stream for that long with nobody to pass it on to, and tell what it uses beside a bare reader")
	flag.StringVar(&o.inputs, "inputs", "", "instead of all that: tell what a source uses for each way in which a stream comes in, for that long: all, or some of idle, rtmp, udp, srt, srt-called, rtmp+srt-player; it takes ffmpeg")
	flag.IntVar(&o.rate, "rate", 3_100_000, "of the stream, in bits per second")
	file := flag.String("clip", "cli/demo/demo.flv", "FLV file with H.264 and AAC that the stream is made of")
	flag.StringVar(&o.machine.relay, "relay", "bin/relay", "the program that is measured")
	flag.StringVar(&o.machine.nginx, "nginx", "bin/nginx/usr/sbin/nginx", "nginx, as make load-tools unpacks it")
	flag.StringVar(&o.machine.module, "module", "bin/nginx/usr/lib/nginx/modules/ngx_rtmp_module.so", "nginx-rtmp")
	flag.StringVar(&o.md, "md", "bin/load.md", "file for the table in Markdown")
	flag.StringVar(&o.svg, "svg", "bin/load.svg", "file for a picture of it")
	flag.StringVar(&o.lock, "lock", "", "file to lock (flock) during each repeat, on a machine on which others measure as well")
	flag.Parse()
	if flag.NArg() > 0 {
		return nil, fmt.Errorf("there are only flags, and %q is none", flag.Arg(0))
	}
	if err := o.pin(); err != nil {
		return nil, err
	}
	if o.counts, err = numbers(*counts); err != nil {
		return nil, err
	}
	if o.who, err = named(*servers); err != nil {
		return nil, err
	}
	for _, path := range []*string{&o.machine.relay, &o.machine.nginx, &o.machine.module} {
		if *path, err = filepath.Abs(*path); err != nil {
			return nil, err
		}
	}
	if o.machine.sound {
		o.clip, err = openSound(*file, o.rate)
	} else {
		o.clip, err = openClip(*file, o.rate)
	}
	o.table = newTable(o, o.rate)
	return o, err
}

// pin has this process go on on one core, and leaves another one for servers; or on two that both
// share.
func (o *options) pin() error {
	var set unix.CPUSet
	if at, ok := os.LookupEnv(pinned); ok {
		for core := range strings.SplitSeq(at, ",") {
			n, err := strconv.Atoi(core)
			if err != nil {
				return err
			}
			o.machine.cores = append(o.machine.cores, n)
		}
		return nil
	}
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return err
	}
	var cores []int
	for i := 0; len(cores) < 2 && i < 8*len(set)*8; i++ {
		if set.IsSet(i) {
			cores = append(cores, i)
		}
	}
	if len(cores) < 2 {
		return errors.New("it takes two cores, one for the server and one for the viewers: there is one")
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return fmt.Errorf("%w; on Debian it is in the package util-linux", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	servers, own := cores[:1], cores[1:]
	if o.shared {
		servers, own = cores, cores
	}
	env := append(os.Environ(), pinned+"="+coreList(servers))
	return unix.Exec(taskset, append([]string{"taskset", "-c", coreList(own), self}, os.Args[1:]...), env)
}

func names() (all []string) {
	for _, c := range contestants {
		all = append(all, c.name)
	}
	return all
}

func named(list string) (who []contestant, err error) {
next:
	for name := range strings.SplitSeq(list, ",") {
		for _, c := range contestants {
			if c.name == name {
				who = append(who, c)
				continue next
			}
		}
		return nil, fmt.Errorf("-servers %s: there is no %q, but %s", list, name, strings.Join(names(), ", "))
	}
	return who, nil
}

func numbers(list string) (all []int, err error) {
	for s := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-n %s: %q is no number of viewers", list, s)
		}
		all = append(all, n)
	}
	return all, nil
}

var errNotExact = errors.New("a server did not send what was published; see the rows above")

// run measures, and writes the table. What was measured before an error is in it.
func (o *options) run(ctx context.Context) error {
	exact := true
	measure := func(repeat, n int, of contestant) error {
		r, err := o.plan.run(ctx, of, n)
		if err != nil {
			return fmt.Errorf("%s with %d viewers: %w", of.title, n, err)
		}
		exact = exact && r.flaws == (flaws{})
		fmt.Println(o.table.add(repeat, of.name, r))
		return nil
	}
	all := func(repeat int) error {
		unlock, err := o.turn()
		if err != nil {
			return err
		}
		defer unlock()
		counts := o.counts
		if repeat == 0 {
			counts = slices.Concat([]int{0}, counts) // what the stream alone costs
		}
		for _, n := range counts {
			for _, of := range o.who {
				if err := measure(repeat, n, of); err != nil {
					return err
				}
			}
		}
		return nil
	}
	fmt.Println(rowHead)
	var err error
	for repeat := 0; repeat < o.repeats && err == nil; repeat++ {
		err = all(repeat)
	}
	fmt.Printf("\n%s", o.table.markdown())
	if !exact {
		err = errors.Join(err, errNotExact)
	}
	return errors.Join(err, write(o.md, o.table.markdown()), write(o.svg, o.table.picture()))
}

// turn takes the lock of -lock.
func (o *options) turn() (unlock func(), err error) {
	if o.lock == "" {
		return func() {}, nil
	}
	f, err := os.OpenFile(o.lock, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

func write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}
