CREATE TABLE books (
    id integer PRIMARY KEY,
    title text NOT NULL,
    author text NOT NULL,
    year integer NOT NULL
);

INSERT INTO books VALUES
    (1, 'The C Programming Language', 'Brian Kernighan and Dennis Ritchie', 1978),
    (2, 'Communicating Sequential Processes', 'Tony Hoare', 1985),
    (3, 'Structure and Interpretation of Computer Programs', 'Harold Abelson and Gerald Sussman', 1985),
    (4, 'The Practice of Programming', 'Brian Kernighan and Rob Pike', 1999),
    (5, 'Crafting Interpreters', 'Robert Nystrom', 2021);
