package treetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// RootSlots is the source's fan-out in the runs that are compared with each other.
const RootSlots = 8

// Mix draws how many children a host can carry.
type Mix func(r *rand.Rand) int

// Mixes are the crowds that are simulated, by name.
var Mixes = map[string]Mix{
	// Most hosts give nothing, and a few give a lot, as in a CDN.
	"cdn": func(r *rand.Rand) int {
		switch p := r.Float64(); {
		case p < 0.56:
			return 0
		case p < 0.56+0.21:
			return 1
		case p < 0.56+0.21+0.095:
			return 2
		case p < 0.56+0.21+0.095+0.06:
			return 3 + r.IntN(17)
		}
		return 20
	},
	"lan": func(r *rand.Rand) int {
		switch p := r.Float64(); {
		case p < 0.2:
			return 0
		case p < 0.8:
			return 4
		}
		return 10
	},
	"uniform4": func(*rand.Rand) int { return 4 },
}

// Sessions is a distribution of how long hosts stay.
type Sessions struct {
	Name string
	Mean time.Duration
	// draw gives the length of a session. met gives that of a session that is found running
	// at a random moment, which is the likelier the longer it is.
	draw, met func(r *rand.Rand) float64 // seconds
	// hazard is the chance per second that one of that age, in seconds, ends; nil if it is not computed.
	hazard func(age float64) float64
}

// maxSession bounds a session, so that a sum of times does not overflow.
const maxSession = 1000 * time.Hour

func (l Sessions) new(r *rand.Rand) time.Duration { return seconds(l.draw(r)) }

// running gives the past and the rest of a session that is found running.
func (l Sessions) running(r *rand.Rand) (age, rest time.Duration) {
	t, at := l.met(r), r.Float64()
	return seconds(at * t), seconds((1 - at) * t)
}

func seconds(s float64) time.Duration {
	return time.Duration(min(s, maxSession.Seconds()) * float64(time.Second))
}

// Lognormal gives sessions whose logarithm in seconds is normal. (5.5, 2.0) fits live
// streaming: half of the hosts leave within 4 minutes, and the mean is half an hour.
func Lognormal(mu, sigma float64) Sessions {
	return Sessions{
		Name: fmt.Sprintf("lognormal(%g,%g)", mu, sigma),
		Mean: seconds(math.Exp(mu + sigma*sigma/2)),
		draw: func(r *rand.Rand) float64 { return math.Exp(mu + sigma*r.NormFloat64()) },
		// The chance of finding a session running is proportional to its length. For a
		// lognormal this moves mu by sigma squared.
		met: func(r *rand.Rand) float64 { return math.Exp(mu + sigma*sigma + sigma*r.NormFloat64()) },
		hazard: func(age float64) float64 {
			age = max(age, 1)
			z := (math.Log(age) - mu) / sigma
			return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) / (age * sigma) / (math.Erfc(z/math.Sqrt2) / 2)
		},
	}
}

// Exponential gives sessions without memory.
func Exponential(mean time.Duration) Sessions {
	f := func(r *rand.Rand) float64 { return r.ExpFloat64() * mean.Seconds() }
	met := func(r *rand.Rand) float64 { return f(r) + f(r) } // before and after the moment
	return Sessions{Name: "exponential", Mean: mean, draw: f, met: met}
}

// Pareto gives sessions of shape 2: many short ones, and a tail without a variance.
func Pareto(mean time.Duration) Sessions {
	least := mean.Seconds() / 2
	return Sessions{
		Name: "pareto",
		Mean: mean,
		draw: func(r *rand.Rand) float64 { return least / math.Sqrt(1-r.Float64()) },
		// If sessions are found in proportion to their length, the shape is 1.
		met: func(r *rand.Rand) float64 { return least / (1 - r.Float64()) },
	}
}
