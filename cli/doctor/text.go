package doctor

import "relay/cli/term"

// Text writes findings on lines that fit the terminal. A finding that needs action begins with
// a mark, and so does the advice on what to do.
func Text(found []Finding, st term.Style) []string {
	marks := map[Level]term.Cell{Fine: {Text: "✓ ", Colour: term.Green}, Note: {Text: "· ", Colour: term.Faint}, Todo: {Text: "✗ ", Colour: term.Red}}
	next := "→ "
	if st.ASCII {
		marks = map[Level]term.Cell{Fine: {Text: "+ ", Colour: term.Green}, Note: {Text: "- ", Colour: term.Faint}, Todo: {Text: "! ", Colour: term.Red}}
		next = "> "
	}
	room := st.Width
	st.Width = 0 // what cannot be broken, such as a link, is not cut either
	var lines []string
	topic := ""
	bad := false
	for _, f := range found {
		if f.Topic != topic {
			if topic != "" {
				lines = append(lines, "")
			}
			topic = f.Topic
			lines = append(lines, st.Line([]term.Cell{{Text: st.Lang.In(topic), Colour: term.Bold}}))
		}
		bad = bad || f.Level == Todo
		colour := ""
		if f.Level == Todo {
			colour = term.Red
		}
		for i, l := range term.WrapWords(st.Lang.In(term.Clean(f.Text)), room-4) {
			mark := term.Cell{Text: "  "}
			if i == 0 {
				mark = marks[f.Level]
			}
			lines = append(lines, st.Line([]term.Cell{mark, {Text: l, Colour: colour}}))
		}
		if f.Next == "" {
			continue
		}
		for i, l := range term.WrapWords(st.Lang.In(term.Clean(f.Next)), room-6) {
			mark := "    "
			if i == 0 {
				mark = "  " + next
			}
			lines = append(lines, st.Line([]term.Cell{{Text: mark}, {Text: l}}))
		}
	}
	if !bad {
		lines = append(lines, "", st.Lang.In("Nothing needs doing."))
	}
	return lines
}
