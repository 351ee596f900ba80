// Markdown as a model writes it. It becomes elements of React, never HTML: tags are shown as the text that they are, and
// pictures of other hosts, which the policy of the page forbids, are links.

import { Box, Code, Table } from "@mantine/core";
import { lexer, type MarkedToken, type Token, type Tokens } from "marked";
import { Fragment, type ReactNode, useMemo } from "react";
import { CodeSnippet } from "@/components/CodeSnippet";
import classes from "./markdown.module.css";

export default function Markdown({ text }: { text: string }) {
  const tokens = useMemo(() => lexer(text), [text]);
  return <div className={classes.markdown}>{all(tokens)}</div>;
}

function all(tokens: Token[] | undefined): ReactNode {
  // Tokens have no names; while an answer grows the old ones stay where they are.
  // biome-ignore lint/suspicious/noArrayIndexKey: see above
  return tokens?.map((token, index) => <Fragment key={index}>{one(token as MarkedToken)}</Fragment>);
}

function one(token: MarkedToken): ReactNode {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "hr":
      return <hr />;
    case "br":
      return <br />;
    case "heading":
      return <Heading token={token} />;
    case "paragraph":
      return <p>{all(token.tokens)}</p>;
    case "blockquote":
      return <blockquote>{all(token.tokens)}</blockquote>;
    case "list":
      return <List token={token} />;
    case "table":
      return <Grid token={token} />;
    case "code":
      return <CodeSnippet label={token.lang || undefined} snippets={[{ name: token.lang ?? "", code: token.text }]} />;
    case "codespan":
      return <Code>{token.text}</Code>;
    case "strong":
      return <strong>{all(token.tokens)}</strong>;
    case "em":
      return <em>{all(token.tokens)}</em>;
    case "del":
      return <del>{all(token.tokens)}</del>;
    case "link":
      return <SafeLink href={token.href}>{all(token.tokens)}</SafeLink>;
    case "image":
      return <Image token={token} />;
    case "checkbox":
      return token.checked ? "☑ " : "☐ ";
    case "text":
      return "tokens" in token && token.tokens ? all(token.tokens) : token.text;
    case "escape":
      return token.text;
    default:
      return token.raw;
  }
}

/** Below the headings of the page. */
function Heading({ token }: { token: Tokens.Heading }) {
  const Tag = token.depth <= 1 ? "h3" : token.depth === 2 ? "h4" : "h5";
  return <Tag>{all(token.tokens)}</Tag>;
}

function List({ token }: { token: Tokens.List }) {
  const items = token.items.map((item, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: as in `all`
    <li key={index}>{all(item.tokens)}</li>
  ));
  return token.ordered ? <ol start={Number(token.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function Grid({ token }: { token: Tokens.Table }) {
  const cell = (of: Tokens.TableCell) => ({ ta: of.align ?? undefined, children: all(of.tokens) });
  return (
    // Wide tables are scrolled to by keyboard too.
    <Box className={classes.wide} tabIndex={0}>
      <Table withTableBorder withColumnBorders fz="sm">
        <Table.Thead>
          <Table.Tr>
            {token.header.map((head, column) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: as in `all`
              <Table.Th key={column} scope="col" {...cell(head)} />
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {token.rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: as in `all`
            <Table.Tr key={index}>
              {row.map((data, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: as in `all`
                <Table.Td key={column} {...cell(data)} />
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Box>
  );
}

function SafeLink({ href, children }: { href: string; children: ReactNode }) {
  if (!/^(https?:|mailto:)/i.test(href)) return children;
  return (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {children}
    </a>
  );
}

function Image({ token }: { token: Tokens.Image }) {
  const name = token.text || token.href;
  if (/^data:image\//i.test(token.href)) return <img src={token.href} alt={token.text} className={classes.picture} />;
  return <SafeLink href={token.href}>{name}</SafeLink>;
}
