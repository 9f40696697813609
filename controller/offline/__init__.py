"""Files of applications: checked without a service, or sent to one.

- `parts`: what every file shape is read into, header by header and record by record; a new shape is one more reader
- `jsonl`: the shape of JSON lines; `xml_rows`, `csv_rows`: the shapes of packages, whose `fields` are the wire's
- `archive`: zip archives of strangers; `package`: any shape opened; `errors`: why one is refused as a whole
- `pictures`: portraits beside the file: read safely, looked at once
- `history`: who came in earlier batches of the file
- `checking`: parts in, answers out; `answers`: an answer, its line, the count of answers
- `run`: one run over one file
- `sending`: files brought to the service, batch by batch; `watch`: a folder whose packages are sent
"""
