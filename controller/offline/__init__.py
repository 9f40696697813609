"""The checks alone, on files of applications, without a service.

- `parts`: what every file shape is read into, header by header and record by record; a new shape is one more reader
- `jsonl`: the shape of JSON lines
- `pictures`: portraits beside the file: read safely, looked at once
- `history`: who came in earlier batches of the file
- `checking`: parts in, answers out; `answers`: an answer, its line, the count of answers
- `run`: one run over one file
"""
