package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"time"

	"relay/tree/treetest"
)

type result struct {
	treetest.Measures
	err  error
	real time.Duration
	work int
}

// churns runs every mix for a long time, with hosts that come and go.
func churns(o *options) error {
	fmt.Println(header)
	mixes := o.mixes
	if o.script != "" {
		mixes = mixes[:1] // the script says what hosts give
	}
	var failed error
	for _, name := range mixes {
		results := parallel(o.seeds, func(i uint64) result { return churn(o, treetest.Mixes[name], nil, o.first+i) })
		fmt.Println(row(name, results))
		d := depths{name: name}
		for _, r := range results {
			if r.err != nil && failed == nil {
				failed = r.err
			}
			d.real, d.ideal = d.real.And(r.Real), d.ideal.And(r.Ideal)
		}
		o.picture.depths = append(o.picture.depths, d)
	}
	return failed
}

func sessions(name string) (treetest.Sessions, error) {
	l := treetest.Lognormal(5.5, 2)
	switch name {
	case "lognormal":
		return l, nil
	case "exponential":
		return treetest.Exponential(l.Mean), nil
	case "pareto":
		return treetest.Pareto(l.Mean), nil
	case "none":
		return treetest.Sessions{}, nil
	}
	return l, fmt.Errorf("no sessions %q", name)
}

func churn(o *options, mix treetest.Mix, k *treetest.Kinds, seed uint64) result {
	begin := time.Now()
	ss, err := sessions(o.sessions)
	if err != nil {
		return result{err: err}
	}
	var script []treetest.Visit
	if o.script != "" {
		f, err := os.Open(o.script)
		if err != nil {
			return result{err: err}
		}
		defer f.Close()
		if script, err = treetest.ReadScript(f); err != nil {
			return result{err: fmt.Errorf("%s: %w", o.script, err)}
		}
	}
	cfg := treetest.Config{
		Seed:      seed,
		MinDelay:  2 * time.Millisecond,
		MaxDelay:  60 * time.Millisecond,
		Loss:      o.loss,
		Heartbeat: o.heartbeat,
		Stream:    treetest.Stream{Interval: o.interval},
		Large:     true,
		Proofs:    true,
		Probes:    k != nil,
		Calls:     k != nil,
	}
	if o.trace != "" {
		f, err := os.Create(o.trace)
		if err != nil {
			return result{err: err}
		}
		defer f.Close()
		cfg.Trace = f
	}
	s := treetest.New(cfg)
	g := treetest.DefaultGossip
	g.Stale = o.stale
	p := treetest.NewPopulation(s, treetest.Crowd{
		Script: script,
		N:      o.n, Mix: mix, Sessions: ss, Graceful: o.graceful, Silent: o.silent,
		Spread: o.spread, Seeds: 2, Limited: o.limited, Gossip: g, Kinds: k,
	})
	if err := s.Run(o.warm); err != nil {
		return result{err: err}
	}
	end := p.Watch()
	err = s.Run(o.take)
	r := result{end(), err, time.Since(begin), s.Steps}
	if o.memory != "" {
		r.err = errors.Join(err, memory(o.memory))
		runtime.KeepAlive(s)
	}
	return r
}

// memory writes a profile of what is in use now.
func memory(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	runtime.GC()
	return pprof.WriteHeapProfile(f)
}
