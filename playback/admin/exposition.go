package admin

import (
	"bytes"
	"strconv"
	"strings"
)

// exposition is what a scrape is answered: metrics in Prometheus' text format 0.0.4,
// https://prometheus.io/docs/instrumenting/exposition_formats/. The zero value is empty.
type exposition struct {
	bytes.Buffer
	last string // family whose values come
}

// family is a metric's name, type and help.
type family struct{ name, typ, help string }

const (
	gauge     = "gauge"
	counter   = "counter"
	histogram = "histogram"
)

// add writes one value of f. All of a family's values are to be added one after the other, as the
// format wants them together.
func (e *exposition) add(f family, v float64, l labels) { e.addTo(f, "", v, l) }

// addTo is add for one of the several series of a histogram, whose names end in suffix.
func (e *exposition) addTo(f family, suffix string, v float64, l labels) {
	if e.last != f.name {
		e.last = f.name
		e.WriteString("# HELP " + f.name + " " + f.help + "\n# TYPE " + f.name + " " + f.typ + "\n")
	}
	e.WriteString(f.name + suffix + string(l) + " ")
	e.Write(strconv.AppendFloat(e.AvailableBuffer(), v, 'g', -1, 64))
	e.WriteByte('\n')
}

// labels are a value's labels as the format has them.
type labels string

// labelled returns labels from their names and values in turn.
func labelled(pairs ...string) labels {
	var b strings.Builder
	between := byte('{')
	for i := 0; i < len(pairs); i += 2 {
		b.WriteByte(between)
		b.WriteString(pairs[i] + `="` + escaped.Replace(strings.ToValidUTF8(pairs[i+1], "\ufffd")) + `"`)
		between = ','
	}
	b.WriteByte('}')
	return labels(b.String())
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
