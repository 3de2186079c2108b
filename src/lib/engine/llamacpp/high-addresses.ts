/**
 * A build with 32-bit addresses gives those above 2 GiB to JavaScript as negative numbers. The package takes them as they
 * are, so that no model of more than about 2 GB would ever answer; here they are turned round before it sees them.
 */

const turn = '(p=>typeof p==="number"&&p<0?p+4294967296:p)';

/** Results of the engine's functions, those that come later too. */
const turnResults = `
;if(Module["cwrap"]){const t=${turn},c=Module["cwrap"];Module["cwrap"]=(...a)=>{const f=c(...a);return(...b)=>{const r=f(...b);return r instanceof Promise?r.then(t):t(r)}}}
`;
/** Where the package's build puts the bytes of a file. */
const target = 'Number(out_ptr)';

/** The script of a build, made to say addresses as they are. */
export function withHighAddresses(script: string): string {
  return script.replace(target, `${turn}(${target})`) + turnResults;
}
